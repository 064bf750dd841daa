"""A process reports about itself, and notices that its store has become another one."""

import os
import secrets
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from turns.backend.partition.tags import HOME
from turns.backend.script_replies import StoreIdentity
from turns.config.logs import Log, get_logger
from turns.config.version import VERSION
from turns.domain.errors import StoreUnavailable
from turns.store.turns import TurnStore

REPORT_SECONDS = 10.0  # so that the reports of ten workers cost the store one script a second


class Reporter:
    """Reports every few seconds from a thread, and at once when the process begins to drain.

    The first report tells the process the id of the store. A later report with another id means that the store, or a
    partition of a Redis Cluster, was emptied or replaced. Each report says whether API keys exist, so that such a store
    stays closed.
    """

    def __init__(self, store: TurnStore, name: str, kind: str, **facts: str) -> None:
        """`facts` are further fields of the record: the `slots` and the `model` of a worker, its `files`."""
        self._store = store
        self._name = name
        self._kind = kind
        self._constant = {"host": socket.gethostname(), "version": VERSION, **facts}
        self._is_draining = False
        self._is_stopped = False
        self._wake = threading.Event()
        self._ids: dict[int, str] = {}  # by partition
        self._needs_keys = False
        self._replaced_at: dict[int, int] = {}

    @property
    def replaced_at(self) -> Mapping[int, int]:
        """Return the time (ms) since which the store, or each partition, is another one; empty if none is."""
        return self._replaced_at

    def start(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._run, name="reports", daemon=True).start()

    def stop(self) -> None:
        """Start no further report."""
        self._is_stopped = True
        self._wake.set()

    def drain(self) -> None:
        """Report soon that the process starts nothing more. Does not wait, because signal handlers call it."""
        self._is_draining = True
        self._wake.set()

    def report(self) -> None:
        """Report once. Raises `StoreUnavailable`."""
        fields = {
            **self._constant,
            "memory_bytes": str(read_memory_bytes() or ""),
            "is_draining": str(int(self._is_draining)),
        }
        store = self._store.report_process(
            self._name, kind=self._kind, proposed_id=secrets.token_hex(8), needs_keys=self._needs_keys, fields=fields
        )
        self._needs_keys = store.needs_keys
        for number, found in (store.partitions or {HOME: store}).items():
            self._compare(number, found)

    def _compare(self, number: int, found: StoreIdentity) -> None:
        before = self._ids.get(number, found.id)
        self._ids[number] = found.id
        if before != found.id:
            self._replaced_at = {**self._replaced_at, number: found.since}
            get_logger().error(Log.STORE_REPLACED, since=found.since, store=found.id, before=before, partition=number)

    def _run(self) -> None:
        while not self._is_stopped:
            try:
                self.report()
            except StoreUnavailable as error:
                get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
            except Exception:
                get_logger().exception(Log.LOOP_BROKEN, loop="reports")
            self._wake.wait(REPORT_SECONDS)
            self._wake.clear()


def web_process_name(token: str) -> str:
    """Return the unique name of this process of the endpoint."""
    return f"{socket.gethostname()}:{os.getpid()}:{token}:web"


def read_memory_bytes(*, read: Callable[[Path], str] = Path.read_text) -> int | None:
    """Return the resident memory of this process, or None where the kernel does not list it in /proc."""
    try:
        return int(read(Path("/proc/self/statm")).split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return None
