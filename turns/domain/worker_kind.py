"""The two kinds of worker process, and where their names tell them apart."""

from enum import StrEnum


class WorkerKind(StrEnum):
    """Kind of a worker; each kind takes its turns from its own Celery queue."""

    LOOP = "loop"  # runs built-in chains on gevent's event loop
    CHAINS = "chains"  # runs custom chains in threads of a process that gevent has not patched


def worker_name(host: str, pid: int, token: str, kind: WorkerKind) -> str:
    """Return the unique name of a worker process."""
    return f"{host}:{pid}:{token}" + (f":{kind}" if kind is WorkerKind.CHAINS else "")


def kind_of(worker: str) -> WorkerKind:
    """Return the kind of the worker with this name."""
    return WorkerKind.CHAINS if worker.endswith(f":{WorkerKind.CHAINS}") else WorkerKind.LOOP
