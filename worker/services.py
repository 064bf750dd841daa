"""The parts of a worker process."""

import os
import socket
from functools import cached_property
from types import MappingProxyType

from turns.assistants.registry import AssistantRegistry
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.pubsub import Subscriptions
from turns.config.settings import Pool, Settings
from turns.config.tracing import stop_tracing
from turns.domain.ids import new_token
from turns.domain.worker_kind import WorkerKind, worker_name
from turns.file_history.turn_store import open_turn_store
from turns.files.blobs import Blobs, open_blobs
from turns.files.partitioned import open_file_store
from turns.files.store import FileStore
from turns.processes.reporter import Reporter
from turns.store.turns import TurnStore
from worker.cluster_broker import HintReaders
from worker.langchain.chain_cache import ChainCache
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.content.file_loader import open_file_loader
from worker.run.active_runs import ActiveRuns
from worker.run.execution import Execution
from worker.run.interrupt import interrupter, offload
from worker.run.output.drawn_images import DrawnImages
from worker.run.output.event_buffer import DeltaEmitter
from worker.run.slow_start import SlowStart

STORE_RETRIES = 5
QUEUES = MappingProxyType({WorkerKind.LOOP: keys.HINTS.name, WorkerKind.CHAINS: keys.CHAIN_HINTS.name})
STORE_CONNECTIONS = 64  # maximum; a script takes well under a millisecond, so few are in use at once


class WorkerServices:
    """Builds each part when another part asks for it first, which all do before the worker starts."""

    def __init__(self, settings: Settings, registry: AssistantRegistry, kind: WorkerKind) -> None:
        self.settings = settings
        self.registry = registry
        self.kind = kind
        self.queue = QUEUES[kind]
        self.worker = worker_name(socket.gethostname(), os.getpid(), new_token()[:8], kind)

    # -- the store

    @cached_property
    def client(self) -> Client:
        # A claim whose reply was lost is requested again while its lease lasts.
        return self._open_client(timeout_seconds=self.settings.lease_seconds / 2, retries=STORE_RETRIES)

    @cached_property
    def store(self) -> TurnStore:
        return self._open_store(self.client)

    @cached_property
    def renewal_client(self) -> Client:
        """A client with a shorter timeout, because one silent connection must not cost the leases.

        On a Redis Cluster it does not wait for a partition that is away, which would delay the others.
        """
        retries = 0 if self.settings.partitions else 1
        return self._open_client(timeout_seconds=self.settings.renew_seconds / 2, retries=retries)

    @cached_property
    def _renewal_store(self) -> TurnStore:
        return self._open_store(self.renewal_client)

    @cached_property
    def shared_store(self) -> TurnStore:
        """The store for calls that serve all runs at once, which one partition must not delay."""
        return self._renewal_store if self.settings.partitions else self.store

    @cached_property
    def subscriptions(self) -> Subscriptions:
        return self.store.subscriptions()

    @cached_property
    def hint_readers(self) -> HintReaders | None:
        return HintReaders(self.client.partitions, self.queue) if self.settings.partitions else None

    # -- runs

    @cached_property
    def active_runs(self) -> ActiveRuns:
        return ActiveRuns(self._renewal_store, interrupter(self.settings.pool))

    @cached_property
    def emitter(self) -> DeltaEmitter:
        return DeltaEmitter(self.shared_store, self.active_runs.stop_runs)

    @cached_property
    def slow_start(self) -> SlowStart:
        return SlowStart(self.settings.concurrency)

    @cached_property
    def execution(self) -> Execution:
        return Execution(
            self.store,
            self._chains,
            self.active_runs,
            self.emitter,
            self.settings,
            worker=self.worker,
            prices=self.registry.prices,
            wait_to_claim=self.slow_start.wait,
            store_images=DrawnImages(self.files).store,
        )

    @cached_property
    def _chains(self) -> ChainCache:
        settings = self.settings
        loop = ChainLoop(max_threads=settings.concurrency) if settings.pool is Pool.THREADS else None
        files = open_file_loader(settings, offload(settings.pool))
        chains = ChainCache(loop, permits=self.registry.permits, files=files)
        assistants = self.registry.all_assistants().values()
        chains.prepare((one for one in assistants if one.worker_kind is self.kind), settings)
        return chains

    # -- files

    @cached_property
    def _blobs(self) -> Blobs:
        return open_blobs(self.settings)

    @cached_property
    def files(self) -> FileStore:
        return open_file_store(self.client, self.settings, self._blobs, offload=offload(self.settings.pool))

    # -- this process

    @cached_property
    def reporter(self) -> Reporter:
        return Reporter(
            self.store,
            self.worker,
            self.kind,
            slots=str(self.settings.concurrency),
            model=self.settings.model_description,
            files=self._blobs.read_identity(),
        )

    def drain(self) -> None:
        """Report that the worker drains, and take no further hints."""
        self.reporter.drain()
        if self.hint_readers:
            self.hint_readers.drain()

    def leave(self) -> None:
        """Remove the worker from the list of workers, and send the last spans."""
        self.store.remove_worker(self.worker)
        stop_tracing()

    def _open_client(self, *, timeout_seconds: float, retries: int) -> Client:
        """Return a client of the store with as many connections as a worker needs."""
        url = self.settings.store_url
        return connect(url, timeout_seconds=timeout_seconds, retries=retries, max_connections=STORE_CONNECTIONS)

    def _open_store(self, client: Client) -> TurnStore:
        return open_turn_store(client, self.settings, offload=offload(self.settings.pool))
