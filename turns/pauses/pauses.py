"""Read, set and end the pauses of operators."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply, to_record
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest
from turns.pauses.part import Part

FORGOTTEN_SECONDS = 3600  # a pause without an end that is older is probably forgotten; as in deploy/alerts.yml


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """A pause of a part; instants in ms. `by` is the id of the operator's API key, or "" without keys.

    `until` is None if it lasts until it is resumed. `is_over`: it has ended, and the turns that waited are starting.
    """

    part: Part
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
    def from_record(cls, part: Part, text: str, *, waiting_turns: int, now_ms: int) -> Self:
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


class Pauses:
    """The pauses. Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._scripts = [Scripts(partition, settings) for partition in client.partitions]

    def read(self) -> list[Pause]:
        """Return the pauses, oldest first."""
        return read_pauses(self._client)

    def pause(self, part: Part, *, by: str = "", reason: str = "", seconds: float | None = None) -> None:
        """Keep the turns of a part from starting; if it is paused, change author, reason and end of that.

        `seconds` is the time after which it ends by itself. Raises `InvalidRequest` if too many parts are paused.
        """
        for scripts in self._scripts:
            outcome = scripts.pause(str(part), by=by, reason=reason, seconds=seconds)
            if outcome is Reply.TOO_MANY:
                raise InvalidRequest("name", "cannot be paused: too many parts are paused already; resume one of them")

    def resume(self, part: Part) -> bool:
        """End the pause of a part; its turns start gradually, oldest first. Return false if it was not paused."""
        return Reply.RESUMED in [scripts.resume(str(part)) for scripts in self._scripts]


def read_pauses(client: Client) -> list[Pause]:
    """Return the pauses, oldest first. Raises `StoreUnavailable`."""
    service, (seconds, microseconds) = client.execute_many([("HGETALL", keys.SERVICE.name), ("TIME",)])
    now_ms = int(seconds) * 1000 + int(microseconds) // 1000
    texts = {part: text for name, text in to_record(service).items() if (part := Part.from_text(name))}
    waiting = client.execute_many([("ZCARD", keys.PAUSED(str(part))) for part in texts])
    pauses = [
        Pause.from_record(part, text, waiting_turns=count, now_ms=now_ms)
        for (part, text), count in zip(texts.items(), waiting, strict=True)
    ]
    current = (pause for pause in pauses if pause.waiting_turns or not pause.is_over)
    return sorted(current, key=lambda pause: (pause.since, str(pause.part)))


def restore_index(client: Client) -> list[Part]:
    """Put pauses back into the index that has lost them, so that `rescue` ends them, and return their parts."""
    names = cast(list[bytes], client.hkeys(keys.SERVICE.name))
    parts = [part for name in names if (part := Part.from_text(name.decode()))]
    added = client.execute_many([("ZADD", keys.PAUSES.name, "NX", 0, str(part)) for part in parts])
    return [part for part, is_added in zip(parts, added, strict=True) if is_added]


def _parse(text: str) -> Mapping[str, Any]:
    """Return the record of a pause. Earlier releases wrote only the time of the pause."""
    try:
        record = json.loads(text)
    except ValueError:
        return {}
    if isinstance(record, dict):
        return cast(Mapping[str, Any], record)
    return {"since": record} if isinstance(record, int) else {}
