"""Celery's broker on a Redis Cluster: a list of hints in each partition, and one reader for each list.

kombu has no transport for clusters. Its Redis transport waits for all lists with one command at one server, which a
cluster refuses. See docs/decisions/0074-read-hints-of-a-cluster-with-our-own-transport.md.
"""

import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from kombu.transport import virtual
from kombu.utils.json import loads

from turns.backend.client import Client
from turns.backend.cluster.list_reader import ListReader
from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable

POP_SECONDS = 1  # of one BRPOP; the end of a worker waits as long
HAND_OVER_SECONDS = 1.0  # then a hint that this worker has no free slot for is put back for others
RETRY_SECONDS = 0.1


@dataclass(eq=False)
class _Offer:
    """A hint on its way from its reader to the worker."""

    hint: bytes
    is_taken: threading.Event = field(default_factory=threading.Event)


class HintReaders:
    """Threads that take hints from all partitions, each only while the worker wants one.

    A partition that is away or being moved stops its own thread alone.
    """

    def __init__(self, clients: Sequence[Client], queue_name: str) -> None:
        """Take the client of each partition; start no thread yet."""
        self._readers = [ListReader(client, queue_name) for client in clients]
        self._threads: list[threading.Thread] = []
        self._offers: queue.Queue[_Offer] = queue.Queue(maxsize=1)
        self._open: set[_Offer] = set()  # neither taken nor withdrawn
        self._is_wanted = threading.Event()
        self._is_stopped = False

    def start(self) -> None:
        for reader in self._readers:
            thread = threading.Thread(target=self._run, args=(reader,), name="hints", daemon=True)
            self._threads.append(thread)
            thread.start()

    def take(self, *, seconds: float) -> bytes:
        """Return the next hint. Raises `queue.Empty` if none comes in this time."""
        deadline = time.monotonic() + seconds
        self._is_wanted.set()
        try:
            while True:
                offer = self._offers.get(timeout=max(0.0, deadline - time.monotonic()))
                if self._close(offer):
                    offer.is_taken.set()
                    return offer.hint
        finally:
            self._is_wanted.clear()

    def drain(self) -> None:
        """Take no further hints. Does not wait."""
        self._is_stopped = True

    def stop(self) -> None:
        """Wait for the threads, which put back what the worker has not taken."""
        self.drain()
        deadline = time.monotonic() + POP_SECONDS + HAND_OVER_SECONDS
        for thread in self._threads:
            thread.join(timeout=max(0.0, deadline - time.monotonic()))

    def _run(self, reader: ListReader) -> None:
        while not self._is_stopped:
            if not self._is_wanted.wait(timeout=POP_SECONDS):
                continue
            try:
                hint = reader.pop(seconds=POP_SECONDS)
            except StoreUnavailable:
                time.sleep(RETRY_SECONDS)
                continue
            if hint is not None and not self._hand_over(hint):
                self._put_back(reader, hint)
        reader.close()

    def _hand_over(self, hint: bytes) -> bool:
        """Return true if the worker has taken the hint."""
        offer = _Offer(hint)
        self._open.add(offer)
        with suppress(queue.Full):
            self._offers.put(offer, timeout=HAND_OVER_SECONDS)
            offer.is_taken.wait(timeout=HAND_OVER_SECONDS)
        return not self._close(offer)

    def _close(self, offer: _Offer) -> bool:
        """Return true for the first caller: either the worker takes an offer, or its reader withdraws it."""
        try:
            self._open.remove(offer)
        except KeyError:
            return False
        return True

    def _put_back(self, reader: ListReader, hint: bytes) -> None:
        try:
            reader.put_back(hint)
        except StoreUnavailable as error:
            # The rescuers replace a lost hint.
            get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))


class HintChannel(virtual.Channel):
    """Delivers what the readers take; they are the transport option `readers`.

    It consumes only: the scripts write the hints, and a draining worker releases the turns that it does not start.
    """

    do_restore = False

    def _get_many(self, queues: Sequence[str], timeout: float | None = None) -> None:
        """Deliver one hint. Raises `queue.Empty` if none comes; kombu calls it only if there is a free slot."""
        transport: Any = self.connection
        readers: HintReaders = transport.client.transport_options["readers"]
        hint = readers.take(seconds=timeout or POP_SECONDS)
        try:
            transport._deliver(loads(hint.decode()), queues[0])
        except OSError:
            raise
        except Exception as error:  # written by another program; raised, it would end the worker
            get_logger().warning(Log.HINT_SKIPPED, error=type(error).__name__)

    def _new_queue(self, queue: str, **_: Any) -> None: ...

    def _has_queue(self, queue: str, **_: Any) -> bool:
        return True

    def _size(self, queue: str) -> int:
        return 0


class ClusterHintTransport(virtual.Transport):
    """Connects to nothing itself: the readers do."""

    Channel = HintChannel
    driver_type = driver_name = "inturn-cluster"
    polling_interval = 0.02  # seconds until a full pool is asked again for a free slot

    def driver_version(self) -> str:
        return "1"
