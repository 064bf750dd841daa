"""`inturn size`: print what an installation with these settings needs for a load."""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from dataclasses import asdict

from turns.config.environment import settings_or_exit
from turns.config.settings import Settings
from turns.sizing import constants
from turns.sizing.calculator import DAY_SECONDS, Limits, Load, Sizing, calculate

DEFAULTS = Load(turns_per_day=1)
UNITS = ((1e12, "TB"), (1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))


def main() -> int:
    options = _parser().parse_args()
    load = Load(
        turns_per_day=options.turns_per_day,
        question_bytes=options.question_bytes,
        answer_bytes=options.answer_bytes,
        turn_seconds=options.turn_seconds,
        turns_per_session=options.turns_per_session,
        peak_factor=options.peak,
        streamed_share=options.streamed / 100,
        kept_events_share=options.with_events / 100,
    )
    limits = limits_of(settings_or_exit(), primary_bytes=options.primary_gb * 1e9)
    sizing = calculate(load, limits)
    if options.json:
        report = json.dumps(to_json(load, limits, sizing), indent=1, ensure_ascii=False)
    else:
        report = "\n".join(describe(load, limits, sizing))
    sys.stdout.write(f"{report}\n")
    return 0


def limits_of(settings: Settings, *, primary_bytes: float) -> Limits:
    return Limits(
        event_seconds=min(settings.event_ttl_seconds, settings.result_ttl_seconds),
        result_seconds=settings.result_ttl_seconds,
        session_seconds=settings.session_ttl_seconds or None,
        concurrency=settings.concurrency,
        history_window=settings.history_window,
        has_history_files=settings.history_directory is not None,
        primary_bytes=primary_bytes,
    )


def to_json(load: Load, limits: Limits, sizing: Sizing) -> dict[str, object]:
    known = {name: asdict(constant) for name, constant in constants.ALL.items()}
    return {"load": asdict(load), "settings": asdict(limits), "needs": asdict(sizing), "constants": known}


def describe(load: Load, limits: Limits, sizing: Sizing) -> Iterator[str]:
    """Yield the lines of the report."""
    average, peak = _rate(sizing.turns_per_second), _rate(sizing.peak_turns_per_second)
    yield f"{load.turns_per_day:,.0f} turns a day: {average} on average, {peak} at the peak"
    yield ""
    yield f"{'Memory of the store':30}{'a turn':>10}  {'kept for':>14}{'in all':>12}"
    for one in sizing.memory:
        kept = "ever (a year)" if one.seconds is None else _duration(one.seconds)
        yield f"  {one.what:28}{_size(one.bytes_per_turn):>10}  {kept:>14}{_size(one.bytes):>12}"
    yield f"  {'together':28}{'':>10}  {'':>14}{_size(sizing.bytes):>12}"
    if sizing.bytes_per_year:
        yield f"  It grows by {_size(sizing.bytes_per_year)} a year, because sessions are kept for ever."
    store, callers = _size(sizing.store_bytes_per_second), _size(sizing.caller_bytes_per_second)
    yield ""
    yield f"maxmemory   {_size(sizing.max_memory_bytes)}: {constants.RESERVE.value} times what is stored"
    primary = _size(limits.primary_bytes)
    yield f"Primaries   {sizing.primaries} with {primary} each; {sizing.store_cores:.2g} cores are busy"
    yield f"Workers     {sizing.workers} with {limits.concurrency} slots each, one of them as a reserve"
    yield f"Network     {store}/s at the store, {callers}/s at the endpoint"
    yield ""
    yield "--json has the constants and their sources; `python -m bench memory store` measures yours."


def _rate(per_second: float) -> str:
    return f"{per_second:.3g} a second" if per_second < 1000 else f"{per_second:,.0f} a second"


def _size(number: float) -> str:
    unit, name = next((one for one in UNITS if number >= one[0]), UNITS[-1])
    return f"{number / unit:.3g} {name}" if number < 1000 * unit else f"{number / unit:,.0f} {name}"


def _duration(seconds: float) -> str:
    days = seconds / DAY_SECONDS
    return f"{days:.3g} days" if days >= 2 else f"{seconds / 3600:.3g} h" if seconds >= 7200 else f"{seconds:.3g} s"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="inturn size", description=__doc__)
    add = parser.add_argument
    add("--turns-per-day", type=_positive, required=True)
    add("--question-bytes", type=_positive, default=DEFAULTS.question_bytes)
    add("--answer-bytes", type=_positive, default=DEFAULTS.answer_bytes)
    add("--turn-seconds", type=_positive, default=DEFAULTS.turn_seconds)
    add("--turns-per-session", type=_positive, default=DEFAULTS.turns_per_session)
    add("--peak", type=_positive, default=DEFAULTS.peak_factor)
    add("--streamed", type=_percent, default=DEFAULTS.streamed_share * 100)
    add("--with-events", type=_percent, default=DEFAULTS.kept_events_share * 100)
    add("--primary-gb", type=_positive, default=Limits().primary_bytes / 1e9)
    add("--json", action="store_true")
    return parser


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < 1e15 or math.isnan(number):
        raise argparse.ArgumentTypeError("must be more than 0, and less than 10^15")
    return number


def _percent(text: str) -> float:
    number = float(text)
    if not 0 <= number <= 100:
        raise argparse.ArgumentTypeError("must be between 0 and 100")
    return number


if __name__ == "__main__":
    sys.exit(main())
