"""Find the delay that a provider asks for, in each form in which providers and their proxies send it."""

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import MappingProxyType
from typing import Any

MAX_DEPTH = 6  # of an error's JSON that is searched
MAX_SEARCHED = 200  # values in it
MIN_EPOCH_SECONDS = 1e9  # a larger number is an instant, and from 1e12 on one in milliseconds

UNIT_SECONDS = MappingProxyType({"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0})
NUMBER = r"\d{1,15}(?:\.\d{1,12})?"
UNIT = r"ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?"
PART = re.compile(rf"({NUMBER})\s*({UNIT})", re.IGNORECASE)
DURATION = re.compile(rf"(?:{NUMBER}\s*(?:{UNIT})\s*)+", re.IGNORECASE)
IN_WORDS = re.compile(
    rf"\b(?:try again|retry|retrying|wait)\b[^\d.]{{0,24}}((?:{NUMBER}\s*(?:{UNIT})(?![a-z])[\s,]*)+)", re.IGNORECASE
)

LITELLM_PREFIX = re.compile(r"llm[_-]provider-")  # of the provider's own headers
MILLISECOND_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")
FIELDS = frozenset({"retryafter", "retryafterseconds", "retryafterms", "retrydelay"})  # in lower case, without _ and -


def find_retry_after(headers: Mapping[str, str], body: object, *, now: float) -> float | None:
    """Return the delay in seconds that an error response, or an error in a stream, asks for; None if it has none.

    `now` is the Unix time, for providers that name an instant. The more exact forms take precedence.
    """
    known = {LITELLM_PREFIX.sub("", name.lower()): value for name, value in headers.items()}
    delays = (*_explicit_headers(known, now), *_search(body, now), *_reset_headers(known, now))
    return next((max(0.0, delay) for delay in delays if math.isfinite(delay)), None)


def _explicit_headers(headers: Mapping[str, str], now: float) -> Iterator[float]:
    for name in MILLISECOND_HEADERS:
        if (milliseconds := _to_number(headers.get(name))) is not None:
            yield milliseconds / 1000
    if (delay := _to_delay(headers.get("retry-after"), now)) is not None:
        yield delay


def _reset_headers(headers: Mapping[str, str], now: float) -> Iterator[float]:
    """Yield the time until the last exhausted limit is reset; a limit with something left is not the reason."""
    resets = {name: value for name, value in headers.items() if "ratelimit" in name and "reset" in name}
    exhausted = [
        delay
        for name, value in resets.items()
        if not _to_number(headers.get(name.replace("reset", "remaining"))) and (delay := _to_delay(value, now))
    ]
    if exhausted:
        yield max(exhausted)


def _search(body: object, now: float) -> Iterator[float]:
    """Yield the delays in the fields of an error, then the one in its messages."""
    fields = [*_walk(body)]
    for name, value in fields:
        if (plain := re.sub(r"[_-]", "", name).lower()) in FIELDS:
            seconds = value.get("seconds") if isinstance(value, dict) else value
            if (delay := _to_delay(seconds, now)) is not None:
                yield delay / 1000 if plain.endswith("ms") else delay
    for name, value in fields:
        if name == "headers" and isinstance(value, dict):  # OpenRouter repeats those of the provider
            nested = {key.lower(): str(header) for key, header in value.items()}
            yield from (*_explicit_headers(nested, now), *_reset_headers(nested, now))
    for _, value in fields:
        if isinstance(value, str) and (found := IN_WORDS.search(value[:4000])):
            yield _sum(found[1])


def _walk(body: object) -> Iterator[tuple[str, Any]]:
    """Yield the first names and values in nested JSON; an element of a list has the name ""."""
    waiting: list[tuple[str, Any]] = [("", body)]
    for _ in range(MAX_DEPTH):
        nested: list[tuple[str, Any]] = []
        for name, value in waiting[:MAX_SEARCHED]:
            yield name, value
            if isinstance(value, dict):
                nested += [(str(key), item) for key, item in value.items()]
            elif isinstance(value, list):
                nested += [("", item) for item in value]
        waiting = nested


def _to_delay(value: object, now: float) -> float | None:
    """Return the seconds that a number, a duration such as "6m0s", or a date means."""
    if (number := _to_number(value)) is not None:
        return number if number < MIN_EPOCH_SECONDS else (number / 1000 if number >= 1e12 else number) - now
    if not isinstance(value, str):
        return None
    if DURATION.fullmatch(value.strip()):
        return _sum(value)
    if (moment := _to_datetime(value.strip())) is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() - now


def _to_datetime(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            return parse(text)
        except ValueError:
            continue
    return None


def _to_number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _sum(duration: str) -> float:
    return sum(float(number) * UNIT_SECONDS[_short(unit)] for number, unit in PART.findall(duration))


def _short(unit: str) -> str:
    unit = unit.lower()
    return "ms" if unit.startswith(("ms", "milli")) else unit[0]
