"""Build the worker process from its parts, and run it with Celery."""

import gc
import logging
import os
import signal
import socket
import sys
import warnings
from functools import partial
from types import MappingProxyType

from celery import Celery, signals
from celery.exceptions import SecurityWarning

from turns.assistants.registry import POLL_SECONDS, AssistantRegistry, registry_or_exit
from turns.backend import keys
from turns.backend.address import parse_store_url
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.backend.partition.unpatched_leases import PartitionedLeaseClient
from turns.backend.unpatched import UnpatchedLeaseClient
from turns.config.logs import Log, configure_logs, get_logger
from turns.config.open_files import raise_open_file_limit
from turns.config.settings import Pool, Settings
from turns.config.tracing import start_tracing, stop_tracing
from turns.coordination.coordinator import Coordinator
from turns.domain.errors import ConfigurationError
from turns.domain.ids import new_token
from turns.domain.worker_kind import WorkerKind, worker_name
from turns.file_history.turn_store import FileHistoryTurnStore, open_turn_store, prepare_or_exit
from turns.files.blobs import open_blobs, open_blobs_or_exit
from turns.files.partitioned import open_file_store
from turns.processes.reporter import Reporter
from turns.store.turns import TurnStore
from turns.usage.store import FOLD_SECONDS, UsageStore
from worker.broker import build_celery
from worker.cluster_broker import HintReaders
from worker.hint import render_hint
from worker.langchain.chain_cache import ChainCache
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.content.file_loader import open_file_loader
from worker.langchain.factories import check_assistant
from worker.lifecycle import Lifecycle, Startable
from worker.run.active_runs import ActiveRuns
from worker.run.crowd_watch import CrowdWatch
from worker.run.execution import Execution
from worker.run.interrupt import call_in_loop, interrupter, offload
from worker.run.lease_thread import LeaseRenewalThread
from worker.run.output.drawn_images import DrawnImages
from worker.run.output.event_buffer import FLUSH_SECONDS, DeltaEmitter
from worker.run.periodic import Loop
from worker.run.rescuer import Rescuer
from worker.run.silence_watch import SilenceWatch
from worker.run.slow_start import SlowStart
from worker.run.watchdog import StalledProcess, Watchdog
from worker.run.worker_watch import WorkerWatch
from worker.tasks import RUN_TURN, register

ROUND_GAP_SECONDS = 0.1  # between two rounds of coordination, also while the home partition is away
CROWD_SECONDS = 5.0  # interval of the check for blocked threads
DEADLINE_SECONDS = 0.25  # interval of the check for late models
SILENCE_SECONDS = 2.0  # interval of the check for models that stop in the middle of an answer
TIDY_SECONDS = 3600.0
SWEEP_SECONDS = 60.0  # interval at which each worker deletes files to which nothing refers
REPAIR_SECONDS = 20.0  # interval at which a worker offers to repair; one in the whole installation does, once a minute
GC_THRESHOLD = (50_000, 20, 100)  # objects; with the default of (700, 10, 10), garbage collection takes 4 % of the CPU
STORE_RETRIES = 5
QUEUES = MappingProxyType({WorkerKind.LOOP: keys.HINTS.name, WorkerKind.CHAINS: keys.CHAIN_HINTS.name})
STORE_CONNECTIONS = 64  # maximum; a script takes well under a millisecond, so few are in use at once
FILES_PER_TURN = 2  # the connection to the provider, and one that a chain opens
RESERVED_FILES = 2 * STORE_CONNECTIONS + 64  # of both clients, of Celery and of Python
FILES_PER_PARTITION = 10  # hints, subscriptions, and connections of both clients, of which each node has a pool


def build_app(settings: Settings, registry: AssistantRegistry, kind: WorkerKind = WorkerKind.LOOP) -> Celery:
    """Return a Celery application that runs turns; the loops start and stop with its worker."""
    # A claim whose reply was lost is requested again while its lease lasts.
    client = open_client(settings, timeout_seconds=settings.lease_seconds / 2, retries=STORE_RETRIES)
    store = open_turn_store(client, settings, offload=offload(settings.pool))
    # Renewals have another client with a shorter timeout, because one silent connection must not cost the leases.
    # On a Redis Cluster it does not wait for a partition that is away, which would delay the others.
    retries = 0 if settings.partitions else 1
    renewal_client = open_client(settings, timeout_seconds=settings.renew_seconds / 2, retries=retries)
    renewal_store = open_turn_store(renewal_client, settings, offload=offload(settings.pool))
    shared_store = renewal_store if settings.partitions else store
    worker = worker_name(socket.gethostname(), os.getpid(), new_token()[:8], kind)
    active_runs = ActiveRuns(renewal_store, interrupter(settings.pool))
    readers = HintReaders(client.partitions, QUEUES[kind]) if settings.partitions else None
    app = build_celery(settings, QUEUES[kind], readers)
    emitter = DeltaEmitter(shared_store, active_runs.stop_runs)
    loop = ChainLoop(max_threads=settings.concurrency) if settings.pool is Pool.THREADS else None
    chains = ChainCache(loop, permits=registry.permits, files=open_file_loader(settings, offload(settings.pool)))
    chains.prepare((one for one in registry.all_assistants().values() if one.worker_kind is kind), settings)
    blobs = open_blobs(settings)
    files = open_file_store(client, settings, blobs, offload=offload(settings.pool))
    slow_start = SlowStart(settings.concurrency)
    execution = Execution(
        store,
        chains,
        active_runs,
        emitter,
        settings,
        worker=worker,
        prices=registry.prices,
        wait_to_claim=slow_start.wait,
        store_images=DrawnImages(files).store,
    )
    register(app, execution)
    hint = render_hint(app, RUN_TURN)
    reporter = Reporter(
        store,
        worker,
        kind,
        slots=str(settings.concurrency),
        model=settings.model_description,
        files=blobs.read_identity(),
    )
    rescuer = Rescuer(shared_store, worker=worker, hint=hint, slots=settings.concurrency, drain=end_process)
    subscriptions = store.subscriptions()
    lifecycle = Lifecycle(
        active_runs,
        execution,
        [
            slow_start,
            reporter,
            subscriptions,
            lease_renewal(active_runs, settings),
            watchdog(active_runs, settings),
            Loop("flush", emitter.flush, every_seconds=FLUSH_SECONDS),
            Loop("deadlines", active_runs.stop_late_runs, every_seconds=DEADLINE_SECONDS),
            Loop("silence", SilenceWatch(active_runs, store).check, every_seconds=SILENCE_SECONDS),
            Loop("rescue", rescuer.rescue, every_seconds=settings.rescue_seconds),
            Loop("usage", UsageStore(client, settings).fold, every_seconds=FOLD_SECONDS),
            Loop("files", files.sweep, every_seconds=min(SWEEP_SECONDS, settings.file_ttl_seconds / 4)),
            Loop("repair", rescuer.repair, every_seconds=REPAIR_SECONDS),
            WorkerWatch(
                store,
                worker,
                model=settings.model_description,
                connections=lambda: subscriptions.connections(worker),
            ),
            # A turn brings its version of the assistant. This loop only logs what is wrong with the file.
            Loop("assistants", registry.reload_if_changed, every_seconds=POLL_SECONDS),
            Loop("crowd", CrowdWatch(settings.concurrency, end_process).check, every_seconds=CROWD_SECONDS),
            *tidying(store),
            *(cluster_loops(renewal_client, settings, readers, store, worker) if readers else []),
        ],
        on_drain=lambda: drain(reporter, readers),
        leave=lambda: leave(store, worker),
        name=worker,
        model=settings.model_description,
        stopped_turns=subscriptions.stopped_turns,
        grace_seconds=settings.grace_seconds,
    )
    lifecycle.follow_celery()
    return app


def cluster_loops(
    client: Client, settings: Settings, readers: HintReaders, store: TurnStore, worker: str
) -> list[Startable]:
    """Return what a worker of a Redis Cluster does beside the rest. `store` is that in which its runs fail."""
    coordinator = Coordinator(client, settings, store.hold_news, worker=worker)
    return [readers, Loop("coordination", coordinator.step, every_seconds=ROUND_GAP_SECONDS)]


def drain(reporter: Reporter, readers: HintReaders | None) -> None:
    """Report that the worker drains, and take no further hints."""
    reporter.drain()
    if readers:
        readers.drain()


def end_process() -> None:
    """Send this process SIGTERM, as a supervisor would: Celery finishes its tasks and ends."""
    os.kill(os.getpid(), signal.SIGTERM)


def leave(store: TurnStore, worker: str) -> None:
    """Remove the worker from the list of workers, and send the last spans."""
    store.remove_worker(worker)
    stop_tracing()


def open_client(settings: Settings, *, timeout_seconds: float, retries: int) -> Client:
    """Return a client of the store with as many connections as a worker needs."""
    return connect(
        settings.store_url, timeout_seconds=timeout_seconds, retries=retries, max_connections=STORE_CONNECTIONS
    )


def tidying(store: TurnStore) -> list[Startable]:
    """Return the loop that removes files of dead workers, if histories are files."""
    return [Loop("tidy", store.tidy, every_seconds=TIDY_SECONDS)] if isinstance(store, FileHistoryTurnStore) else []


def watchdog(active_runs: ActiveRuns, settings: Settings) -> Startable:
    """Return the thread that ends the process when its gevent loop stands still."""
    store = lease_client(settings) if can_use_unpatched(settings) else None
    return Watchdog(
        stall_seconds=settings.stall_seconds,
        call_in_loop=call_in_loop(settings.pool),
        end=StalledProcess(active_runs, store).end,
        beat_file=settings.beat_file,
    )


def can_use_unpatched(settings: Settings) -> bool:
    """Return whether a real thread can reach the store: not with TLS, because gevent has patched `ssl` too."""
    options = parse_store_url(settings.store_url).options
    return settings.pool is Pool.GEVENT and ("connection_class" not in options or "path" in options)


def lease_client(settings: Settings) -> UnpatchedLeaseClient | PartitionedLeaseClient:
    """Return the client of a real thread."""
    return PartitionedLeaseClient(settings) if settings.partitions else UnpatchedLeaseClient(settings)


def lease_renewal(active_runs: ActiveRuns, settings: Settings) -> Startable:
    """Return a real thread if it can reach the store, else a loop."""
    if can_use_unpatched(settings):
        return LeaseRenewalThread(active_runs, lease_client(settings), every_seconds=settings.renew_seconds)
    return Loop("renew", active_runs.renew, every_seconds=settings.renew_seconds)


def limit_concurrency(settings: Settings) -> Settings:
    """Raise the limit of open files; return settings with as many concurrent turns as there are files for."""
    reserved = RESERVED_FILES + FILES_PER_PARTITION * settings.partitions
    limit = raise_open_file_limit(reserved + FILES_PER_TURN * settings.concurrency)
    concurrency = min(settings.concurrency, max(1, (limit - reserved) // FILES_PER_TURN))
    if concurrency < settings.concurrency:
        get_logger().warning(Log.WORKER_LIMITED, concurrency=concurrency, open_files=limit)
    return settings.model_copy(update={"concurrency": concurrency})


def run(settings: Settings, kind: WorkerKind) -> None:
    """Run a worker in this process until it is stopped by a signal."""
    configure_logs(settings)
    settings = limit_concurrency(settings)
    start_tracing(settings, role="worker")
    signals.setup_logging.connect(lambda **_: None, weak=False)  # prevents Celery from configuring logging again
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they log two lines per hint; ours name the turn's events
    # Celery warns against running as root because of pickle, which `accept_content` rejects.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    prepare_or_exit(settings)
    open_blobs_or_exit(settings)
    try:
        registry = registry_or_exit(settings, check=partial(check_assistant, kind=kind))
        app = build_app(settings, registry, kind)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None
    # All objects so far stay, so the garbage collector need not scan them: 15 % of the CPU at 100 turns in flight.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)
    app.worker_main(
        [
            "--quiet",
            "worker",
            f"--pool={settings.pool}",
            f"--concurrency={settings.concurrency}",
            f"--loglevel={settings.log_level}",
            f"--hostname=inturn-{os.getpid()}@%h",
            "--without-gossip",
            "--without-mingle",
            "--without-heartbeat",
        ]
    )
    if kind is WorkerKind.CHAINS:
        sys.stderr.flush()
        os._exit(0)  # a thread that a chain has blocked must not keep the process
