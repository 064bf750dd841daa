"""Celery with the store as its broker."""

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from celery import Celery
from kombu import Queue
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport.redis import SentinelTransport, Transport

from turns.backend.address import parse_store_url
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from worker.cluster_broker import ClusterHintTransport, HintReaders

REDIS_PORT = 6379
CLUSTER_BROKER = "inturn-cluster://hints"  # names the transport, whose readers know the nodes; Celery wants a host


class HintTransport(Transport):
    """A transport that skips messages which another program has written and which kombu or Celery cannot read.

    Celery ends the worker when its transport raises an error that is not about the connection. A message has been
    removed from the queue before it is read, and a lost hint is replaced by the rescuer.
    """

    def drain_events(self, connection: Any, timeout: float | None = None) -> None:  # type: ignore[override]  # as in kombu's other transports
        """Read the next message; called by a worker without an event loop, as under gevent."""
        with self._skip_malformed():
            super().drain_events(connection, timeout)

    def on_readable(self, fileno: int) -> None:  # type: ignore[override]  # as in kombu's Redis transport
        """Read the next message; called by the event loop."""
        with self._skip_malformed():
            super().on_readable(fileno)

    @contextmanager
    def _skip_malformed(self) -> Iterator[None]:
        # `Empty` is the end of a poll without a message, which the event loop expects.
        expected: tuple[type[Exception], ...] = (Empty, OSError, *self.connection_errors, *self.channel_errors)
        try:
            yield
        except expected:
            raise
        except Exception as error:
            get_logger().warning(Log.HINT_SKIPPED, error=type(error).__name__)


class SentinelHintTransport(HintTransport):
    """The same for the primary that Sentinels name."""

    default_port = SentinelTransport.default_port
    Channel = SentinelTransport.Channel


TRANSPORTS = MappingProxyType(
    {
        "redis": f"{__name__}:{HintTransport.__name__}",
        "rediss": f"{__name__}:{HintTransport.__name__}",
        "sentinel": f"{__name__}:{SentinelHintTransport.__name__}",
        "inturn-cluster": f"{ClusterHintTransport.__module__}:{ClusterHintTransport.__name__}",
    }
)


def build_celery(settings: Settings, queue: str, readers: HintReaders | None = None) -> Celery:
    """Return a Celery application whose messages are only hints: the state of a turn is in its record.

    `readers` take the hints from the partitions of a Redis Cluster; None for any other store.
    docs/decisions/0001-treat-a-celery-message-as-a-hint.md gives the reasons.
    """
    TRANSPORT_ALIASES.update(TRANSPORTS)
    broker, tls, options = (CLUSTER_BROKER, {}, {"readers": readers}) if readers else broker_url(settings.store_url)
    app = Celery("inturn", broker=broker, set_as_current=False)
    app.conf.update(
        broker_use_ssl=tls,
        task_queues=[Queue(queue)],
        task_default_queue=queue,
        result_backend=None,
        task_ignore_result=True,
        task_acks_late=False,  # a lost hint is replaced by the rescuer, and a duplicate finds its turn claimed
        task_serializer="json",
        accept_content=["json"],
        task_track_started=False,
        worker_send_task_events=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        # Not worker_disable_prefetch, which stalls outside of the prefork pool. With a limit of one message, Celery
        # fetches the next one only after its poll of two seconds, so a worker with one slot may fetch a second message.
        worker_prefetch_multiplier=2 if settings.concurrency == 1 else 1,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_connection_timeout=3,
        broker_channel_error_retry=True,  # otherwise a store that rejects writes, as on a full disk, ends the worker
        broker_transport_options={
            "ack_emulation": False,  # would cost commands for each hint, and hints may be lost
            "socket_timeout": 5,  # kombu has none by default, and would never notice a half-open connection
            "socket_connect_timeout": 3,
            "health_check_interval": 5,
            "socket_keepalive": True,
            "priority_steps": [0],
            "client_name": "inturn-worker",
            **options,
        },
    )
    return app


def broker_url(store_url: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Return the store as Celery names it: a URL, TLS options and transport options.

    Celery passes a URL's own options on to connections that do not know them, so the URL has none.
    """
    address = parse_store_url(store_url)
    options = address.options
    database = options.get("db", 0)
    login = f"{quote(options.get('username', ''), safe='')}:{quote(options.get('password', ''), safe='')}@"
    if address.sentinels:
        sentinels = [f"sentinel://{login}{_bracketed(host)}:{port}/{database}" for host, port in address.sentinels]
        timeouts = {"socket_timeout": 3, "socket_connect_timeout": 3}
        return (
            ";".join(sentinels),
            {},
            {"master_name": address.service, "sentinel_kwargs": {**address.sentinel_options, **timeouts}},
        )
    login = "" if login == ":@" else login
    if "path" in options:
        return f"redis+socket://{login}{quote(options['path'])}?virtual_host={database}", {}, {}
    server = f"{login}{_bracketed(options.get('host', 'localhost'))}:{options.get('port', REDIS_PORT)}/{database}"
    if not store_url.startswith("rediss:"):
        return f"redis://{server}", {}, {}
    tls = {"ssl_cert_reqs": "required"} | {name: value for name, value in options.items() if name.startswith("ssl_")}
    return f"rediss://{server}", tls, {}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
