"""The workers, and the turns that each of them runs; also those that have stopped sending heartbeats."""

from collections import defaultdict
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import DEAD_WORKER_SECONDS
from turns.backend.script_replies import to_record
from turns.store.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A worker process; `running` are the ids of its turns. `beat_at` is the time (ms) of its last heartbeat.

    `model` is its default model with the provider, or "". A worker that is not alive has ended without removing
    itself, or its process hangs.
    """

    name: str
    is_alive: bool
    beat_at: int
    silent_seconds: float
    is_draining: bool
    running: tuple[str, ...]
    model: str = ""


def read_workers(client: Client, survey: Survey, *, now_ms: int) -> list[Worker]:
    """Return the workers by name, those with heartbeats first. Raises `StoreUnavailable`."""
    beats = cast(list[tuple[bytes, float]], client.zrange(keys.WORKERS.name, 0, -1, withscores=True))
    beat_at = {name.decode(): int(at) for name, at in beats}
    models = to_record(cast(dict[bytes, bytes], client.hgetall(keys.WORKER_MODELS.name)))
    are_draining = client.execute_many([("EXISTS", keys.DRAINED(name)) for name in beat_at])
    running = defaultdict(list)
    for turn in survey.running:
        running[turn.worker].append(turn.turn_id)
    workers = [
        Worker(
            name=name,
            is_alive=now_ms - at <= DEAD_WORKER_SECONDS * 1000,
            beat_at=at,
            silent_seconds=max(0, now_ms - at) / 1000,
            is_draining=bool(is_draining),
            running=tuple(running.get(name, ())),
            model=models.get(name, ""),
        )
        for (name, at), is_draining in zip(beat_at.items(), are_draining, strict=True)
    ]
    return sorted(workers, key=lambda worker: (not worker.is_alive, worker.name))
