"""Build the worker process from its parts, and run it with Celery."""

import gc
import logging
import os
import sys
import warnings
from functools import partial

from celery import Celery, signals
from celery.exceptions import SecurityWarning

from turns.assistants.registry import AssistantRegistry, registry_or_exit
from turns.config.logs import Log, get_logger
from turns.config.open_files import raise_open_file_limit
from turns.config.settings import Settings
from turns.config.tracing import start_tracing
from turns.domain.errors import ConfigurationError
from turns.domain.worker_kind import WorkerKind
from turns.file_history.turn_store import prepare_or_exit
from turns.files.blobs import open_blobs_or_exit
from worker.broker import build_celery
from worker.hint import render_hint
from worker.langchain.factories import check_assistant
from worker.lifecycle import Lifecycle
from worker.loops import build_loops
from worker.services import STORE_CONNECTIONS, WorkerServices
from worker.tasks import RUN_TURN, register

GC_THRESHOLD = (50_000, 20, 100)  # objects; with the default of (700, 10, 10), garbage collection takes 4 % of the CPU
FILES_PER_TURN = 2  # the connection to the provider, and one that a chain opens
RESERVED_FILES = 2 * STORE_CONNECTIONS + 64  # of both clients, of Celery and of Python
FILES_PER_PARTITION = 10  # hints, subscriptions, and connections of both clients, of which each node has a pool


def build_app(settings: Settings, registry: AssistantRegistry, kind: WorkerKind = WorkerKind.LOOP) -> Celery:
    """Return a Celery application that runs turns; the loops start and stop with its worker."""
    services = WorkerServices(settings, registry, kind)
    app = build_celery(settings, services.queue, services.hint_readers)
    register(app, services.execution)
    lifecycle = Lifecycle(
        services.active_runs,
        services.execution,
        list(build_loops(services, hint=render_hint(app, RUN_TURN))),
        on_drain=services.drain,
        leave=services.leave,
        name=services.worker,
        model=settings.model_description,
        stopped_turns=services.subscriptions.stopped_turns,
        grace_seconds=settings.grace_seconds,
    )
    lifecycle.follow_celery()
    return app


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
    settings = limit_concurrency(settings)
    start_tracing(settings, role="worker")
    _quiet_celery()
    prepare_or_exit(settings)
    open_blobs_or_exit(settings)
    try:
        registry = registry_or_exit(settings, check=partial(check_assistant, kind=kind))
        app = build_app(settings, registry, kind)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None
    _freeze_gc()
    app.worker_main(_celery_arguments(settings))
    if kind is WorkerKind.CHAINS:
        sys.stderr.flush()
        os._exit(0)  # a thread that a chain has blocked must not keep the process


def _quiet_celery() -> None:
    signals.setup_logging.connect(lambda **_: None, weak=False)  # prevents Celery from configuring logging again
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # they log two lines per hint; ours name the turn's events
    # Celery warns against running as root because of pickle, which `accept_content` rejects.
    warnings.filterwarnings("ignore", category=SecurityWarning)


def _freeze_gc() -> None:
    """Let the garbage collector not scan what exists so far and stays: 15 % of the CPU at 100 turns in flight."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def _celery_arguments(settings: Settings) -> list[str]:
    return [
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
