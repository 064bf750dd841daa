"""The queries of operators. They change nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from turns.backend.client import Client
from turns.config.settings import Settings
from turns.operations.facts import read_facts, read_now_ms
from turns.operations.finding import ServiceFacts
from turns.operations.live_turns import LiveTurns, read_live_turns
from turns.operations.time_series import StatsPoint, read_series
from turns.operations.timeline import Timeline, read_timeline
from turns.operations.wait_diagnosis import SessionQueue, read_session_queue
from turns.operations.workers import WebProcess, Worker, read_workers, to_web_process
from turns.pauses.pause import Pause
from turns.pauses.pauses import read_pauses
from turns.processes.listing import read_processes
from turns.processes.record import WEB
from turns.store.holds import ModelHold, read_holds
from turns.store.metrics import read_gauges
from turns.store.survey import survey_heads


class OperatorQueries:
    """Every method raises `StoreUnavailable`."""

    def __init__(
        self, client: Client, settings: Settings, *, replaced_at: Callable[[], Mapping[int, int]] = dict
    ) -> None:
        """`replaced_at`: the time (ms) since which this process sees another store, or partition, than before."""
        self._client = client
        self._settings = settings
        self._replaced_at = replaced_at

    def read_gauges(self) -> Mapping[str, float]:
        """Return the current values of the gauges by name."""
        return read_gauges(self._client)

    def read_facts(self, *, lost_turns: int) -> ServiceFacts:
        """Return the facts on which the verdict is based; `lost_turns` failed with `worker_lost` and are unresolved."""
        facts = read_facts(self._client, self._settings, lost_turns=lost_turns)
        return replace(facts, replaced_at=self._replaced_at())

    def read_processes(self) -> tuple[list[Worker], list[WebProcess]]:
        """Return the workers, and the processes of the endpoint, that were seen in the last 15 minutes."""
        processes = read_processes(self._client)
        survey, now_ms = survey_heads(self._client), read_now_ms(self._client)
        workers = read_workers(self._client, survey, processes, now_ms=now_ms)
        return workers, [to_web_process(process, now_ms=now_ms) for process in processes if process.kind == WEB]

    def read_holds(self) -> Sequence[ModelHold]:
        """Return the models that get no turns at present, and why."""
        return read_holds(self._client)

    def read_pauses(self) -> Sequence[Pause]:
        """Return what operators have paused, oldest first."""
        return read_pauses(self._client)

    def read_series(self, minutes: int) -> tuple[StatsPoint, ...]:
        """Return the numbers of the last `minutes`, a key of `RESOLUTIONS`, as a series."""
        return read_series(self._client, minutes)

    def read_live_turns(self) -> LiveTurns:
        """Return the first live turn of each session."""
        return read_live_turns(self._client)

    def read_timeline(self, turn_id: str) -> Timeline:
        """Return the timeline of a turn of any tenant. Raises `TurnNotFound`."""
        return read_timeline(self._client, turn_id)

    def read_session_queue(self, session: str) -> SessionQueue:
        """Return the live turns of a session and why they wait. Raises `SessionNotFound`."""
        return read_session_queue(self._client, session)
