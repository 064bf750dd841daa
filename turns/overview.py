"""The store, as far as operators look at it: nothing here changes a turn."""

from collections.abc import Mapping

from turns.connection import Client
from turns.figures import Figures, read_recent, read_series
from turns.heads import Heads, read_heads
from turns.metrics import read_gauges
from turns.reasons import SessionQueue, read_queue
from turns.timeline import Timeline, read_timeline
from turns.workers import Worker, read_workers


class Overview:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def gauges(self) -> Mapping[str, float]:
        """How things are now."""
        return read_gauges(self._client)

    def recent(self) -> Figures:
        """What happened in the last minutes."""
        return read_recent(self._client)

    def series(self, minutes: int) -> tuple[Figures, ...]:
        """What happened in the last so many minutes, which `STEPS` knows."""
        return read_series(self._client, minutes)

    def heads(self) -> Heads:
        """The first live turn of each session."""
        return read_heads(self._client)

    def workers(self) -> list[Worker]:
        """The living ones."""
        return read_workers(self._client)

    def timeline(self, turn_id: str) -> Timeline:
        """A turn of any tenant. Raises `TurnNotFound`."""
        return read_timeline(self._client, turn_id)

    def queue(self, session: str) -> SessionQueue:
        """The live turns of a session, and why they wait. Raises `SessionNotFound`."""
        return read_queue(self._client, session)
