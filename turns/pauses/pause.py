"""One pause of a part of the service, as `pause.lua` writes it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from turns.pauses.part import ServicePart

FORGOTTEN_SECONDS = 3600  # a pause without an end that is older is probably forgotten; as in deploy/alerts.yml


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of a part; instants in ms. `by` is the id of the operator's API key, or "" without keys.

    `until` is None if it lasts until it is resumed. `is_over`: it has ended, and the turns that waited are starting.
    """

    part: ServicePart
    by: str
    reason: str
    since: int
    until: int | None
    is_over: bool
    waiting_turns: int

    @property
    def kind(self) -> str:
        return self.part.kind

    @property
    def name(self) -> str:
        return self.part.name

    def is_forgotten(self, *, now_ms: int) -> bool:
        """Return whether it has no end and is older than `FORGOTTEN_SECONDS`."""
        return not self.is_over and self.until is None and now_ms - self.since > FORGOTTEN_SECONDS * 1000

    @classmethod
    def from_record(cls, part: ServicePart, text: str, *, waiting_turns: int, now_ms: int) -> Self:
        """Build a pause from its field, which `pause.lua` writes. An unreadable one is in force since now."""
        record = _parse(text)
        until = record.get("until_at")
        return cls(
            part=part,
            by=str(record.get("by", "")),
            reason=str(record.get("reason", "")),
            since=int(record.get("since", now_ms)),
            until=None if until is None else int(until),
            is_over="ended_at" in record or (until is not None and until <= now_ms),
            waiting_turns=waiting_turns,
        )


def _parse(text: str) -> Mapping[str, Any]:
    """Return the record of a pause. Earlier releases wrote only the time of the pause."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    if isinstance(record, dict):
        return cast(Mapping[str, Any], record)
    return {"since": record} if isinstance(record, int) else {}
