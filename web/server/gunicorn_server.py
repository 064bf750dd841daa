"""gunicorn, configured from `Settings`, and protected from slow and greedy clients."""

import contextlib
import gc
import logging
import socket
import sys
from importlib import import_module
from types import FrameType
from typing import Any

import gevent
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.http.errors import ParseException
from gunicorn.workers.base_async import AsyncWorker
from gunicorn.workers.ggevent import GeventWorker

from turns.access.api_keys import ApiKeyStore
from turns.access.exposure import check_exposure
from turns.assistants.registry import AssistantRegistry, registry_or_exit
from turns.backend.opening import connect
from turns.config.logs import Log, get_logger
from turns.config.open_files import raise_open_file_limit
from turns.config.settings import Settings
from turns.config.version import VERSION
from turns.domain.errors import AssistantNotFound, ConfigurationError, StoreUnavailable
from turns.file_history.turn_store import prepare_or_exit
from turns.files.blobs import open_blobs_or_exit
from web.server.malformed import malformed

CONNECTIONS = 4000  # long polls, streams and idle connections together; a greenlet takes a few kilobytes
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 5  # also the time for the head of a request; gunicorn waits for idle connections when it stops
MAX_REQUEST_LINE_BYTES = 8190  # gunicorn's most; an escaped session and user id together take up to 3 KiB
SEND_SECONDS = 30  # a client that reads nothing for this long is disconnected
LINGER_SECONDS = 2  # the time for a client to read the response to a request that it is still sending
LINGER_BYTES = 64 * 1024  # at a time
UNREAD_BYTES = 64 * 1024  # of a body that no route has read; if there is more, the connection is closed
YIELD_BYTES = 8 * 1024  # what is read from one client before other connections are served
YIELD_SECONDS = 1e-6  # any positive time: for 0, gevent runs fifty loops before it polls the sockets
STORE_SECONDS = 3


class PropagatingLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """Send gunicorn's log records to the root logger."""

    access_log_enabled = False  # otherwise gunicorn derives it again for each request

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """Log the exception, except for a client that was disconnected because it read nothing."""
        if not isinstance(sys.exc_info()[1], TimeoutError):
            super().exception(msg, *args, **kwargs)


class ClientSocket:
    """The socket of a client, which yields to other connections while it receives.

    recv() does not block while data keeps arriving, so a client that sends without end would starve all others.
    """

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._unyielded_bytes = 0
        self.has_received = False  # since a request began

    def recv(self, size: int) -> bytes:
        data: bytes = self._sock.recv(size)
        self.has_received = True
        self._unyielded_bytes += len(data)
        if self._unyielded_bytes >= YIELD_BYTES:
            self._unyielded_bytes = 0
            _yield_to_others()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class GunicornWorker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Answer all waiting requests, whose callers then ask another process or the successor of this one."""
        if not self.booted:  # gunicorn takes any other exception for a failed start, and prints its traceback
            raise SystemExit(0)
        for waiting in self.wsgi.extensions["draining"]:
            gevent.spawn(waiting.drain)
        super().handle_exit(sig, frame)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        client.settimeout(SEND_SECONDS)
        # Not `super()`: GeventWorker's method would remove the timeout again.
        AsyncWorker.handle(self, listener, ClientSocket(client), addr)

    def handle_request(self, listener_name: Any, req: Any, client: Any, addr: Any) -> None:
        """Serve a request, and leave the connection ready for the next one, or closed in order.

        gunicorn closes the connection after a StopIteration.
        """
        if not client.has_received:
            _yield_to_others()  # the request was received together with the one before it, and hundreds may follow
        client.has_received = False
        try:
            super().handle_request(listener_name, req, client, addr)
        except StopIteration:
            _linger(client)
            raise
        if not _discard_unread(req.body):
            _linger(client)
            raise StopIteration

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answer malformed or oversized HTTP with a problem instead of gunicorn's HTML page."""
        if not isinstance(exc, ParseException):
            self.log.error("Error handling request", exc_info=exc)
        with contextlib.suppress(OSError):
            client.sendall(malformed(exc))
        _linger(client)


def _yield_to_others() -> None:
    gevent.sleep(YIELD_SECONDS)


def _discard_unread(body: Any) -> bool:
    """Discard what no route has read of a body; return whether the connection can serve another request."""
    with contextlib.suppress(OSError, ParseException), gevent.Timeout(LINGER_SECONDS, exception=False):
        # `failed`, an attribute of gunicorn's Body: it is not known where in the stream the next request starts.
        return not body.failed and len(body.read(UNREAD_BYTES)) < UNREAD_BYTES
    return False


def _linger(client: Any) -> None:
    """Wait until the client has read the response.

    Closing a socket with unread bytes resets the connection, and the response would be lost.
    """
    with contextlib.suppress(OSError), gevent.Timeout(LINGER_SECONDS, exception=False):
        client.shutdown(socket.SHUT_WR)
        while client.recv(LINGER_BYTES):
            pass


class GunicornServer(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    def __init__(self, settings: Settings, registry: AssistantRegistry) -> None:
        self._settings = settings
        self._registry = registry
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        for name, value in {
            "bind": settings.address,
            "workers": settings.web_processes,
            "worker_class": "web.server.gunicorn_server.GunicornWorker",
            "worker_connections": CONNECTIONS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "limit_request_line": MAX_REQUEST_LINE_BYTES,
            "logger_class": PropagatingLogger,
            "proc_name": "inturn-web",
            "control_socket_disable": True,
            # The service does not depend on the scheme or path that a proxy reports, so the headers for it are ignored.
            # Otherwise gunicorn would parse and compare the address of each caller, which costs 2 % of a read.
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "forwarded_allow_ips": "*",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # Imported after the fork: each worker opens its own connections, and the parent serves no requests.
        from web.app import create_app  # noqa: PLC0415

        app = create_app(self._settings, self._registry)
        for part in app.extensions["background"]:
            part.start()
        _freeze_gc()
        get_logger().info(Log.WEB_READY, version=VERSION)
        return app


def serve(settings: Settings) -> None:
    """Serve requests until the process is stopped."""
    _check_exposure(settings)
    registry = registry_or_exit(settings)
    _check_langserve_root(settings, registry)
    prepare_or_exit(settings)
    open_blobs_or_exit(settings)
    raise_open_file_limit(2 * CONNECTIONS)
    if settings.web_processes > 1:
        import_module("web.app")  # before the fork, so that the processes share its memory
    server = GunicornServer(settings, registry)
    _freeze_gc()
    server.run()


def _freeze_gc() -> None:
    """Exclude all present objects from garbage collection.

    Collections would otherwise visit them again and again, and copy the pages that forked processes share.
    """
    gc.collect()
    gc.freeze()


def _check_langserve_root(settings: Settings, registry: AssistantRegistry) -> None:
    """End the process with code 2 if the assistant at the root of the service does not exist."""
    try:
        if settings.langserve_root:
            registry.find(settings.langserve_root)
    except AssistantNotFound as error:
        sys.stderr.write(f"InTurn cannot start.\nINTURN_LANGSERVE_ROOT: {error}\n")
        raise SystemExit(2) from None


def _check_exposure(settings: Settings) -> None:
    """End the process with code 2 if other machines could call the service without an API key."""
    if settings.is_loopback:
        return
    try:
        client = connect(settings.store_url, timeout_seconds=STORE_SECONDS, retries=3, max_connections=1)
        check_exposure(ApiKeyStore(client), settings)
    except (ConfigurationError, StoreUnavailable) as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None
