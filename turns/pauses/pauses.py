"""Read, set and end the pauses of operators."""

from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply, to_record
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest
from turns.pauses.part import ServicePart
from turns.pauses.pause import Pause
from turns.pauses.sharing import PauseSharing


class Pauses:
    """The pauses. Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._sharing = PauseSharing(client, settings)

    def read(self) -> list[Pause]:
        """Return the pauses, oldest first."""
        return read_pauses(self._client)

    def pause(self, part: ServicePart, *, by: str = "", reason: str = "", seconds: float | None = None) -> None:
        """Keep the turns of a part from starting; if it is paused, change author, reason and end of that.

        `seconds` is the time after which it ends by itself. Partitions of a Redis Cluster that are away are reported as
        missing, and follow when they return. Raises `InvalidRequest` if too many parts are paused.
        """
        if self._sharing.home.pause(str(part), by=by, reason=reason, seconds=seconds) is Reply.TOO_MANY:
            raise InvalidRequest("name", "cannot be paused: too many parts are paused already; resume one of them")
        self._sharing.share()

    def resume(self, part: ServicePart) -> bool:
        """End the pause of a part; its turns start gradually, oldest first. Return false if it was not paused."""
        outcome = self._sharing.home.resume(str(part))
        self._sharing.share()
        return outcome is Reply.RESUMED


def read_pauses(client: Client) -> list[Pause]:
    """Return the pauses, oldest first. Raises `StoreUnavailable`."""
    service, (seconds, microseconds) = client.execute_many([("HGETALL", keys.SERVICE.name), ("TIME",)])
    now_ms = int(seconds) * 1000 + int(microseconds) // 1000
    texts = {part: text for name, text in to_record(service).items() if (part := ServicePart.from_text(name))}
    waiting = client.execute_many([("ZCARD", keys.PAUSED(str(part))) for part in texts])
    pauses = [
        Pause.from_record(part, text, waiting_turns=count, now_ms=now_ms)
        for (part, text), count in zip(texts.items(), waiting, strict=True)
    ]
    current = (pause for pause in pauses if pause.waiting_turns or not pause.is_over)
    return sorted(current, key=lambda pause: (pause.since, str(pause.part)))


def restore_index(client: Client) -> list[ServicePart]:
    """Put pauses back into the index that has lost them, so that `rescue` ends them, and return their parts."""
    names = cast(list[bytes], client.hkeys(keys.SERVICE.name))
    parts = [part for name in names if (part := ServicePart.from_text(name.decode()))]
    added = client.execute_many([("ZADD", keys.PAUSES.name, "NX", 0, str(part)) for part in parts])
    return [part for part, is_added in zip(parts, added, strict=True) if is_added]
