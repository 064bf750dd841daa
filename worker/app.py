"""The worker process: everything is built here, and Celery runs it."""

import contextlib
import logging
import os
import socket
import warnings
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from celery import Celery, signals
from celery.exceptions import SecurityWarning
from kombu import Queue

from turns import keys
from turns.assistants import ASSISTANTS
from turns.connection import connect
from turns.errors import StoreUnavailable
from turns.ids import new_token
from turns.logs import Log, configure_logs, get_logger
from turns.settings import Pool, Settings
from turns.store import TurnStore
from worker.chain import build_chain
from worker.execution import Execution
from worker.hint import render_hint
from worker.lease import Interrupted, Leases
from worker.loop import Loop
from worker.models import build_model, model_name
from worker.rescuer import Rescuer
from worker.tasks import RUN_TURN, register

STORE_TIMEOUT_SECONDS = 5.0
STORE_RETRIES = 5
STORE_CONNECTIONS = 64  # a script takes well under a millisecond, so few are in use at once


def build_app(settings: Settings) -> Celery:
    """A Celery application that runs turns; the loops start and stop with its worker."""
    store = TurnStore(
        connect(
            settings.store_url,
            timeout_seconds=STORE_TIMEOUT_SECONDS,
            retries=STORE_RETRIES,
            max_connections=STORE_CONNECTIONS,
        ),
        settings,
    )
    worker = f"{socket.gethostname()}:{os.getpid()}:{new_token()[:8]}"
    model = build_model(settings)
    chains = {name: build_chain(assistant, model) for name, assistant in ASSISTANTS.items()}
    leases = Leases(store)
    app = build_celery(settings)
    execution = Execution(
        store,
        chains,
        leases,
        settings,
        worker=worker,
        model=model_name(settings),
        interrupter=interrupter(settings.pool),
    )
    register(app, execution)
    rescuer = Rescuer(store, worker=worker, hint=render_hint(app, RUN_TURN))
    run_while_working(
        Loop("renew", leases.renew, every_seconds=settings.renew_seconds),
        Loop("rescue", rescuer.rescue, every_seconds=settings.rescue_seconds),
        leave=lambda: store.leave(worker),
    )
    return app


def build_celery(settings: Settings) -> Celery:
    """Celery as the engine and no more: what is true of a turn is in its record, a message is only a hint.

    docs/decisions/0001-hints.md has the measurements behind these values.
    """
    app = Celery("inturn", broker=broker_url(settings.store_url), set_as_current=False)
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
        worker_prefetch_multiplier=1,  # never worker_disable_prefetch: it stalls outside of prefork
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=3,
        broker_transport_options={
            "ack_emulation": False,  # a third of the CPU and a ninth of the commands
            "socket_timeout": 5,  # kombu's own is none: a half-open connection would never be noticed
            "socket_connect_timeout": 3,
            "health_check_interval": 5,
            "socket_keepalive": True,
            "priority_steps": [0],
            "client_name": "inturn-worker",
        },
    )
    return app


def broker_url(store_url: str) -> str:
    """The same Redis, in Celery's spelling."""
    scheme, _, path, query, _ = urlsplit(store_url)
    if scheme != "unix":
        return store_url
    database = parse_qs(query).get("db", ["0"])[0]
    return f"redis+socket://{path}?virtual_host={database}"


def interrupter(pool: Pool) -> Callable[[], Callable[[], None]]:
    """Gives, inside a run, the function that stops it from outside."""
    if pool is Pool.THREADS:  # a blocked thread cannot be stopped; it notices at its next piece
        return lambda: lambda: None

    import gevent  # noqa: PLC0415  # only where it is the pool

    def inside() -> Callable[[], None]:
        greenlet = gevent.getcurrent()
        return lambda: greenlet.kill(Interrupted, block=False)

    return inside


def run_while_working(*loops: Loop, leave: Callable[[], None]) -> None:
    """The loops run from the moment that the worker consumes until its last turn has ended; then it leaves."""

    def start(**_: object) -> None:
        for loop in loops:
            loop.start()
        get_logger().info(Log.WORKER_READY)

    def stop(**_: object) -> None:
        for loop in loops:
            loop.stop()
        with contextlib.suppress(StoreUnavailable):  # then it is soon forgotten
            leave()

    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutdown.connect(stop, weak=False)


def run(settings: Settings) -> None:
    """Runs a worker in this process until it is told to stop."""
    configure_logs(settings)
    signals.setup_logging.connect(lambda **_: None, weak=False)  # logs are configured; Celery would do it again
    for name in ("celery.worker.strategy", "celery.app.trace"):
        logging.getLogger(name).setLevel(logging.WARNING)  # two lines a hint; our own say what happened to the turn
    # Celery warns of root because of pickle, which `accept_content` refuses.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    build_app(settings).worker_main(
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
