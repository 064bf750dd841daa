"""The worker process: everything is built here, and Celery runs it."""

import gc
import logging
import os
import signal
import socket
import warnings
from typing import Any
from urllib.parse import urlsplit

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu import Queue

from turns.assistants.registry import POLL_SECONDS, AssistantRegistry, registry_or_exit
from turns.backend import keys
from turns.backend.address import parse_store_url
from turns.backend.client import connect
from turns.backend.unpatched import UnpatchedLeaseClient
from turns.config.logs import configure_logs
from turns.config.settings import Pool, Settings
from turns.config.tracing import start_tracing, stop_tracing
from turns.domain.ids import new_token
from turns.file_history.turn_store import FileHistoryTurnStore, open_turn_store, prepare_or_exit
from turns.store.turns import TurnStore
from worker.hint import render_hint
from worker.langchain.chain_cache import Chains
from worker.langchain.factories import check_assistant
from worker.lifecycle import Lifecycle, Startable
from worker.run.active_runs import ActiveRuns
from worker.run.event_buffer import FLUSH_SECONDS, DeltaEmitter
from worker.run.execution import Execution
from worker.run.interrupt import interrupter, offload
from worker.run.lease_thread import LeaseRenewalThread
from worker.run.periodic import Loop
from worker.run.rescuer import Rescuer
from worker.tasks import RUN_TURN, register

WATCH_SECONDS = 0.25  # a late model is noticed so much later
TIDY_SECONDS = 3600.0
COLLECT_AFTER = (50_000, 20, 100)  # objects; after the usual (700, 10, 10) it takes 4 % of the worker
STORE_RETRIES = 5
STORE_CONNECTIONS = 64  # a script takes well under a millisecond, so few are in use at once


def build_app(settings: Settings, registry: AssistantRegistry) -> Celery:
    """A Celery application that runs turns; the loops start and stop with its worker."""
    # A claim whose reply got lost is asked for again while its lease runs.
    store = open_store(settings, timeout_seconds=settings.lease_seconds / 2, retries=STORE_RETRIES)
    # Of its own, and less patient: one silent connection must not cost the leases.
    for_leases = open_store(settings, timeout_seconds=settings.renew_seconds / 2, retries=1)
    worker = f"{socket.gethostname()}:{os.getpid()}:{new_token()[:8]}"
    leases = ActiveRuns(for_leases, interrupter(settings.pool))
    app = build_celery(settings)
    emitter = DeltaEmitter(store, leases.heed)
    chains = Chains(settings)
    chains.prepare(registry.all_assistants().values())
    execution = Execution(store, chains, leases, emitter, settings, worker=worker)
    register(app, execution)
    hint = render_hint(app, RUN_TURN)
    rescuer = Rescuer(store, worker=worker, hint=hint, drain=end_process, beat_file=settings.beat_file)
    subscriptions = store.subscriptions()
    lifecycle = Lifecycle(
        leases,
        execution,
        [
            subscriptions,
            keeper(leases, settings),
            Loop("flush", emitter.flush, every_seconds=FLUSH_SECONDS),
            Loop("watch", leases.watch, every_seconds=WATCH_SECONDS),
            Loop("rescue", rescuer.rescue, every_seconds=settings.rescue_seconds),
            # A turn runs with the version that it brings. This one only says what is wrong, where an operator looks.
            Loop("look", registry.reload_if_changed, every_seconds=POLL_SECONDS),
            *tidying(store),
        ],
        leave=lambda: leave(store, worker),
        name=worker,
        model=settings.model_description,
        stopped=subscriptions.stopped,
        grace_seconds=settings.grace_seconds,
    )
    lifecycle.follow_celery()
    return app


def end_process() -> None:
    """Celery is told what a supervisor would tell it: finish, and end."""
    os.kill(os.getpid(), signal.SIGTERM)


def leave(store: TurnStore, worker: str) -> None:
    """The worker is no longer counted, and its last spans are sent."""
    store.remove_worker(worker)
    stop_tracing()


def open_store(settings: Settings, *, timeout_seconds: float, retries: int) -> TurnStore:
    client = connect(
        settings.store_url, timeout_seconds=timeout_seconds, retries=retries, max_connections=STORE_CONNECTIONS
    )
    return open_turn_store(client, settings, offload=offload(settings.pool))


def tidying(store: TurnStore) -> list[Startable]:
    """What removes the files that dead workers left behind, where histories are files."""
    return [Loop("tidy", store.tidy, every_seconds=TIDY_SECONDS)] if isinstance(store, FileHistoryTurnStore) else []


def keeper(leases: ActiveRuns, settings: Settings) -> Startable:
    """What renews. Over TLS it shares the interpreter with the runs, because gevent has patched that too."""
    if settings.pool is Pool.GEVENT and not settings.store_url.startswith("rediss"):
        return LeaseRenewalThread(leases, UnpatchedLeaseClient(settings), every_seconds=settings.renew_seconds)
    return Loop("renew", leases.renew, every_seconds=settings.renew_seconds)


def build_celery(settings: Settings) -> Celery:
    """Celery as the engine and no more: what is true of a turn is in its record, a message is only a hint.

    docs/decisions/0001-treat-a-celery-message-as-a-hint.md gives the reasons.
    """
    broker, options = broker_url(settings.store_url)
    app = Celery("inturn", broker=broker, set_as_current=False)
    app.conf.update(
        task_queues=[Queue(keys.HINTS.name)],
        task_default_queue=keys.HINTS.name,
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=False,  # a lost hint is found again by the due index; a doubled one finds its turn claimed
        task_serializer="json",
        accept_content=["json"],
        task_track_started=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Never worker_disable_prefetch: it stalls outside of prefork. Celery allowed one hint in all asks for the next
        # only when its wait of two seconds is over, so a worker of one slot is allowed a second one.
        worker_prefetch_multiplier=2 if settings.concurrency == 1 else 1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=3,
        broker_channel_error_retry=True,  # else a store that refuses to write, as on a full disk, ends the worker
        broker_transport_options={
            "ack_emulation": False,  # costs commands for each hint, and guards what needs no guard
            "socket_timeout": 5,  # kombu's own is none: a half-open connection would never be noticed
            "socket_connect_timeout": 3,
            "health_check_interval": 5,
            "socket_keepalive": True,
            "priority_steps": [0],
            "client_name": "inturn-worker",
            **options,
        },
    )
    return app


def broker_url(store_url: str) -> tuple[str, dict[str, Any]]:
    """The same Redis in Celery's spelling: a URL, and transport options."""
    address = parse_store_url(store_url)
    database = address.options.get("db", 0)
    login, at, _ = urlsplit(store_url).netloc.rpartition("@")
    if address.sentinels:
        places = [f"sentinel://{login}@{_bracketed(host)}:{port}/{database}" for host, port in address.sentinels]
        timeouts = {"socket_timeout": 3, "socket_connect_timeout": 3}
        return ";".join(places), {
            "master_name": address.service,
            "sentinel_kwargs": {**address.sentinel_options, **timeouts},
        }
    if "path" in address.options:
        return f"redis+socket://{login}{at}{address.options['path']}?virtual_host={database}", {}
    return store_url, {}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def run(settings: Settings) -> None:
    """Runs a worker in this process until it is told to stop."""
    configure_logs(settings)
    start_tracing(settings, role="worker")
    signals.setup_logging.connect(lambda **_: None, weak=False)  # logs are configured; Celery would do it again
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # two lines a hint; our own say what happened to the turn
    # Celery warns of root because of pickle, which `accept_content` refuses.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    prepare_or_exit(settings)
    app = build_app(settings, registry_or_exit(settings, check=check_assistant))
    # What is here now stays, and the collector need not look at it again: 15 % of the CPU at 100 turns in flight.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
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
