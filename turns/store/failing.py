"""The models of which every turn has failed lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import to_record

RECENT_MS = 120_000  # a model without an attempt in this time is no longer listed
MIN_ATTEMPTS = 3  # fewer failures in a row happen by chance
COMPLETED = "completed_at:"


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingModel:
    """The failed attempts of a model since its last completed turn; `since` is the time (ms) of the first of them."""

    model: str
    since: int
    attempts: int
    code: str


def read_completions(client: Client) -> dict[str, int]:
    """Return the time (ms) of the last completed turn of each model. Raises `StoreUnavailable`."""
    service = to_record(cast(dict[bytes, bytes], client.hgetall(keys.SERVICE.name)))
    return {name.removeprefix(COMPLETED): int(at) for name, at in service.items() if name.startswith(COMPLETED)}


def read_failing(client: Client, completions: Mapping[str, int], *, now_ms: int) -> list[FailingModel]:
    """Return the models whose last attempts, `MIN_ATTEMPTS` or more, have all failed; most attempts first."""
    streaks = to_record(cast(dict[bytes, bytes], client.hgetall(keys.FAILING.name)))
    found = []
    for model, streak in streaks.items():
        since, last_at, attempts, code = streak.split("|")
        is_over = int(last_at) <= max(completions.get(model, 0), now_ms - RECENT_MS)
        if not is_over and int(attempts) >= MIN_ATTEMPTS:
            found.append(FailingModel(model=model, since=int(since), attempts=int(attempts), code=code))
    return sorted(found, key=lambda failing: -failing.attempts)
