"""The processes: those that run, and those that have ended or fallen silent in the last 15 minutes."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import DEAD_WORKER_SECONDS
from turns.backend.script_replies import to_record
from turns.domain.worker_kind import WorkerKind, kind_of
from turns.processes.record import WEB, Ending, ProcessRecord, ProcessState
from turns.store.survey import Survey

ALIVE = frozenset({ProcessState.RUNNING, ProcessState.DRAINING})
GONE = frozenset({ProcessState.ENDED, ProcessState.DEAD})


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process; `running` are the ids of its turns. `beat_at` is the time (ms) of its last heartbeat.

    `process` is what it reports about itself; its `model` is the default model with the provider, or "".
    """

    name: str
    state: ProcessState
    beat_at: int
    silent_seconds: float
    running: tuple[str, ...]
    model: str = ""
    process: ProcessRecord

    @property
    def kind(self) -> WorkerKind:
        return kind_of(self.name)

    @property
    def is_alive(self) -> bool:
        return self.state in ALIVE

    @property
    def is_draining(self) -> bool:
        return self.state is ProcessState.DRAINING

    @property
    def is_gone(self) -> bool:
        return self.state in GONE


def read_workers(client: Client, survey: Survey, processes: Iterable[ProcessRecord], *, now_ms: int) -> list[Worker]:
    """Return the workers by state and name, those that run first. Raises `StoreUnavailable`."""
    beats = cast(list[tuple[bytes, float]], client.zrange(keys.WORKERS.name, 0, -1, withscores=True))
    beat_at = {name.decode(): int(at) for name, at in beats}
    models = to_record(cast(dict[bytes, bytes], client.hgetall(keys.WORKER_MODELS.name)))
    known = {name: ProcessRecord(name=name, kind=kind_of(name), seen_at=at) for name, at in beat_at.items()}
    known |= {process.name: process for process in processes if process.kind != WEB}
    requests = client.execute_many([("EXISTS", keys.DRAINED(name)) for name in known])
    running = defaultdict(list)
    for turn in survey.running:
        running[turn.worker].append(turn.turn_id)
    workers = [
        Worker(
            name=name,
            state=_state(process, beat_at.get(name), is_requested=bool(is_requested), now_ms=now_ms),
            beat_at=(at := beat_at.get(name, process.seen_at)),
            silent_seconds=max(0, now_ms - at) / 1000,
            running=tuple(running.get(name, ())),
            model=models.get(name, process.model),
            process=process,
        )
        for (name, process), is_requested in zip(known.items(), requests, strict=True)
    ]
    return sorted(workers, key=lambda worker: (list(ProcessState).index(worker.state), worker.name))


def _state(process: ProcessRecord, beat_at: int | None, *, is_requested: bool, now_ms: int) -> ProcessState:
    if beat_at is not None and now_ms - beat_at <= DEAD_WORKER_SECONDS * 1000:
        return ProcessState.DRAINING if process.is_draining or is_requested else ProcessState.RUNNING
    if process.ended_at is None:
        return ProcessState.SILENT
    return ProcessState.ENDED if process.ended_by is Ending.LEFT else ProcessState.DEAD


@dataclass(frozen=True, slots=True, kw_only=True)
class WebProcess:
    """A process of the endpoint."""

    process: ProcessRecord
    state: ProcessState


def to_web_process(process: ProcessRecord, *, now_ms: int) -> WebProcess:
    """Return the process with its state. One that was asked to stop has ended when its reports end."""
    if process.is_recent(now_ms):
        state = ProcessState.DRAINING if process.is_draining else ProcessState.RUNNING
    else:
        state = ProcessState.ENDED if process.is_draining else ProcessState.SILENT
    return WebProcess(process=process, state=state)
