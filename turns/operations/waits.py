"""The reasons for which a turn has waited, as its record has them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Self

from turns.domain.open_enum import member_or_text
from turns.domain.wait_reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """A time for which a turn waited, or for which its run was silent (`SILENT`); `until` is None while that lasts.

    `what` is what it waited for: a hold, a group, the code of the failed attempt, a worker, or "".
    """

    reason: Reason | str
    since: int
    until: int | None
    what: str

    @classmethod
    def from_item(cls, reason: str, since: str, until: str, what: str) -> Self:
        """Build a wait from the parts that `waits.lua` writes; '' stands for a missing value."""
        return cls(
            reason=member_or_text(Reason, reason), since=int(since), until=int(until) if until else None, what=what
        )


def read_waits(record: Mapping[str, str]) -> Iterator[Wait]:
    """Yield the waits in the record of a turn, in order; the last one may not be over."""
    end = record.get("finished_at", "")
    if "head_at" in record or _is_behind(record):
        yield Wait.from_item(Reason.RUNNING, record["accepted_at"], record.get("head_at") or end, "")
    for reason, since, until, what in json.loads(record.get("waits", "[]")):
        yield Wait.from_item(reason, since, min(until, end or until), what)  # it may have ended before its retry
    if "open_wait" in record:
        yield read_open_wait(record["open_wait"], until=end)


def read_open_wait(text: str, *, until: str) -> Wait:
    """Return the wait in the field `open_wait` of a record; `until` is the end of its turn (ms), or ''."""
    reason, since, what = json.loads(text)
    return Wait.from_item(reason, since, until, what)


def _is_behind(record: Mapping[str, str]) -> bool:
    """Return whether other turns of its session are, or at its end were, before a turn: it was never dispatched."""
    return record["claims"] == "0" and "hinted_at" not in record and "open_wait" not in record and "waits" not in record
