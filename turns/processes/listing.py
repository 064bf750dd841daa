"""Read the records of the processes, and the times without a worker."""

from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import NO_WORKER_MS
from turns.backend.script_replies import to_record
from turns.domain.worker_kind import WorkerKind
from turns.processes.record import ProcessRecord


def read_processes(client: Client) -> list[ProcessRecord]:
    """Return the processes that were seen in the last 15 minutes, newest first. Raises `StoreUnavailable`."""
    names = [name.decode() for name in cast(list[bytes], client.zrevrange(keys.PROCESSES.name, 0, -1))]
    replies = client.execute_many([("HGETALL", keys.PROCESS(name)) for name in names])
    records = [(name, to_record(reply)) for name, reply in zip(names, replies, strict=True)]
    return [ProcessRecord.from_record(name, record) for name, record in records if "seen_at" in record]


@dataclass(frozen=True, slots=True)
class WorkerGap:
    """A time (ms) in which no worker of a kind was running; `until` is None while that lasts."""

    since: int
    until: int | None


def read_gaps(client: Client, kind: WorkerKind, *, now_ms: int) -> list[WorkerGap]:
    """Return the last gaps of this kind, oldest first. Raises `StoreUnavailable`."""
    items, seen_at = client.execute_many(
        [("LRANGE", keys.WORKER_GAPS(kind), 0, -1), ("HGET", keys.SERVICE.name, f"{kind}_seen_at")]
    )
    gaps = [WorkerGap(*map(int, item.decode().split("|"))) for item in reversed(items)]
    if seen_at and now_ms - int(seen_at) > NO_WORKER_MS:
        gaps.append(WorkerGap(int(seen_at), None))
    return gaps
