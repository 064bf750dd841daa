"""The live workers, and the turns that each of them runs."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.domain.state import Status
from turns.store.health import list_live_workers

# Heads that one call reads. A running head is due again within a lease, so running heads are among the first ones.
SCAN_LIMIT = 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    """A live worker process; `running` are the ids of its turns."""

    name: str
    is_draining: bool
    running: tuple[str, ...]


def read_workers(client: Client) -> list[Worker]:
    """Return the live workers by name. Raises `StoreUnavailable`."""
    names = sorted(list_live_workers(client))
    are_draining = client.execute_many([("EXISTS", keys.DRAINED(name)) for name in names])
    running = _read_running(client)
    return [
        Worker(name=name, is_draining=bool(is_draining), running=tuple(running.get(name, ())))
        for name, is_draining in zip(names, are_draining, strict=True)
    ]


def _read_running(client: Client) -> Mapping[str, Sequence[str]]:
    """Return the ids of the running turns by worker."""
    due = [turn.decode() for turn in cast(list[bytes], client.zrange(keys.DUE.name, 0, SCAN_LIMIT - 1))]
    records = client.execute_many([("HMGET", keys.TURN(turn), "status", "worker") for turn in due])
    running = defaultdict(list)
    for turn, (status, worker) in zip(due, records, strict=True):
        if status == Status.IN_PROGRESS.encode():
            running[worker.decode()].append(turn)
    return running
