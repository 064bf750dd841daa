"""The living workers, and what each of them runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.state import Status
from turns.store.health import living_workers

# Heads that one call looks at. Those that run are looked at within a lease, so they are among the first that are due.
SCAN_LIMIT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A living worker process. `is_draining`: it was told to. `running`: the ids of the turns that it runs."""

    name: str
    is_draining: bool
    running: tuple[str, ...]


def read_workers(client: Client) -> list[Worker]:
    """Raises `StoreUnavailable`."""
    names = sorted(living_workers(client))
    are_draining = client.execute_many([("EXISTS", keys.DRAINED(name)) for name in names])
    running = _read_running(client)
    return [
        Worker(name=name, is_draining=bool(is_draining), running=tuple(running.get(name, ())))
        for name, is_draining in zip(names, are_draining, strict=True)
    ]


def _read_running(client: Client) -> Mapping[str, Sequence[str]]:
    """By worker: the ids of the turns that run."""
    due = [turn.decode() for turn in cast(list[bytes], client.zrange(keys.DUE.name, 0, SCAN_LIMIT - 1))]
    answers = client.execute_many([("HMGET", keys.TURN(turn), "status", "worker") for turn in due])
    running = defaultdict(list)
    for turn, (status, worker) in zip(due, answers, strict=True):
        if status == Status.IN_PROGRESS.encode():
            running[worker.decode()].append(turn)
    return running
