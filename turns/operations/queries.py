"""The store, as far as operators look at it: nothing here changes a turn."""

from collections.abc import Mapping

from turns.backend.client import Client
from turns.operations.live_turns import LiveTurns, read_live_turns
from turns.operations.time_series import StatsPoint, read_recent, read_series
from turns.operations.timeline import Timeline, read_timeline
from turns.operations.wait_diagnosis import SessionQueue, read_queue
from turns.operations.workers import Worker, read_workers
from turns.store.metrics import read_gauges


class OperatorQueries:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def gauges(self) -> Mapping[str, float]:
        """How things are now."""
        return read_gauges(self._client)

    def recent(self) -> StatsPoint:
        """What happened in the last minutes."""
        return read_recent(self._client)

    def series(self, minutes: int) -> tuple[StatsPoint, ...]:
        """What happened in the last so many minutes, which `STEPS` knows."""
        return read_series(self._client, minutes)

    def heads(self) -> LiveTurns:
        """The first live turn of each session."""
        return read_live_turns(self._client)

    def workers(self) -> list[Worker]:
        """The living ones."""
        return read_workers(self._client)

    def timeline(self, turn_id: str) -> Timeline:
        """A turn of any tenant. Raises `TurnNotFound`."""
        return read_timeline(self._client, turn_id)

    def queue(self, session: str) -> SessionQueue:
        """The live turns of a session, and why they wait. Raises `SessionNotFound`."""
        return read_queue(self._client, session)
