"""gunicorn, configured here instead of by its command line, so that `Settings` is the one place to set anything."""

import contextlib
import gc
import logging
import resource
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

from turns.assistants.registry import AssistantRegistry, registry_or_exit
from turns.backend.client import connect
from turns.config.logs import Log, configure_logs, get_logger
from turns.config.settings import Settings
from turns.config.version import VERSION
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.file_history.turn_store import prepare_or_exit
from turns.store.api_keys import ApiKeyStore, check_exposure
from web.server.malformed import malformed

CONNECTIONS = 4000  # long-polls, streams and idle keep-alives together; greenlets are cheap
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 5  # also for the head of a request to come; gunicorn waits for idle connections too when it stops
LINGER_SECONDS = 2
LINGER_BYTES = 64 * 1024  # at a time
LEFT_BYTES = 64 * 1024  # of a body that nobody read; with more of it the connection ends
SHARE_BYTES = 8 * 1024  # what is read of one caller before the others are looked at
SHARE_SECONDS = 1e-6  # any time at all: for 0 gevent goes round fifty times before it looks at a socket
STORE_SECONDS = 3
SEND_SECONDS = 30  # a reader that takes nothing for so long is left


class PropagatingLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's own lines go where all others go."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True
        self._access_log_enabled = False  # else it works that out for each request

    def exception(self, msg: str, *args: Any, **kwargs: Any) -> None:
        """A caller that took nothing for too long was left; that is no error of ours."""
        if not isinstance(sys.exc_info()[1], TimeoutError):
            super().exception(msg, *args, **kwargs)


class Line:
    """A caller's socket, of which no more is read at once than is fair, and over which the head of an answer goes out
    with its body: gunicorn writes the one and then the other, and the caller wakes twice. What has no length is
    streamed, and its head goes ahead."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self._head = b""
        self._read_bytes = 0
        # gunicorn asks for these before each request, when no head waits.
        self.gettimeout, self.settimeout = sock.gettimeout, sock.settimeout

    def recv(self, size: int) -> bytes:
        """Where there is always more to read nothing waits: one caller who sends without end would stop all others."""
        data: bytes = self._sock.recv(size)
        self._read_bytes += len(data)
        if self._read_bytes >= SHARE_BYTES:
            self._read_bytes = 0
            _look_at_others()
        return data

    def sendall(self, data: bytes) -> None:
        if not self._head and data.startswith(b"HTTP/1.1 ") and b"\r\nContent-Length: " in data:
            self._head = data
            return
        whole, self._head = self._head + data, b""
        sent = self._sock.send(whole)  # nearly always all: `sendall` first asks the kernel how much that could be
        if sent < len(whole):
            self._sock.sendall(whole[sent:])

    def flush(self) -> None:
        """Also of an answer without a body."""
        if self._head:
            self.sendall(b"")

    def __getattr__(self, name: str) -> Any:
        """Whatever else is done with it, such as sending a file, comes after the head."""
        self.flush()
        return getattr(self._sock, name)


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Whoever waits for a turn is answered now, and asks again: another process, or this one's successor."""
        for those in self.wsgi.extensions["draining"]:
            gevent.spawn(those.drain)
        super().handle_exit(sig, frame)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """A reader that takes nothing holds its place no longer than this."""
        client.settimeout(SEND_SECONDS)
        AsyncWorker.handle(self, listener, Line(client), addr)  # the gevent worker's own sets no limit

    def handle_request(self, listener_name: Any, req: Any, line: Any, addr: Any) -> None:
        """A caller that still sends a body that was refused unread gets to read why."""
        try:
            super().handle_request(listener_name, req, line, addr)
        except StopIteration:
            line.flush()
            _linger(line)
            raise
        finally:
            line.flush()
        if not _is_over(req.body):
            _linger(line)
            raise StopIteration
        if req.unreader.buf.tell():
            _look_at_others()  # the next request is here already: what was read at once may hold hundreds

    def handle_error(self, req: Any, line: Any, addr: Any, exc: BaseException) -> None:
        """What is not HTTP, or too much of it, gets an answer of ours and not a page of the server's."""
        if not isinstance(exc, ParseException):
            self.log.error("Error handling request", exc_info=exc)
        with contextlib.suppress(OSError):
            line.sendall(malformed(exc))
        _linger(line)


def _look_at_others() -> None:
    gevent.sleep(SHARE_SECONDS)


def _is_over(body: Any) -> bool:
    """Whether the next request can come: what nobody has read of this one is gone, if it was little."""
    if getattr(body.reader, "length", None) == 0:
        return True  # as after nearly all requests, for which no timer is set
    with contextlib.suppress(OSError, ParseException), gevent.Timeout(LINGER_SECONDS, exception=False):
        return not body.failed and len(body.read(LEFT_BYTES)) < LEFT_BYTES
    return False


def _linger(line: Any) -> None:
    """The other side has read the answer, or had its time: closing with bytes unread would reset it away."""
    with contextlib.suppress(OSError), gevent.Timeout(LINGER_SECONDS, exception=False):
        line.shutdown(socket.SHUT_WR)
        while line.recv(LINGER_BYTES):
            pass


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    def __init__(self, settings: Settings, registry: AssistantRegistry) -> None:
        self._settings = settings
        self._roster = registry
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        for name, value in {
            "bind": settings.address,
            "workers": settings.web_processes,
            "worker_class": "web.server.gunicorn_server.Worker",
            "worker_connections": CONNECTIONS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "logger_class": PropagatingLogger,
            "proc_name": "inturn-web",
            "control_socket_disable": True,
            # Nothing here depends on what a proxy says of scheme or path, so no header can say it, whoever sends it.
            # Else the address of each caller is parsed and compared, for 2 % of a read.
            "secure_scheme_headers": {},
            "forwarder_headers": "",
            "forwarded_allow_ips": "*",
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        # In the worker, after the fork: its connections are its own, and the parent serves nobody.
        from web.app import create_app  # noqa: PLC0415

        app = create_app(self._settings, self._roster)
        _keep()
        get_logger().info(Log.WEB_READY, version=VERSION)
        return app


def serve(settings: Settings) -> None:
    """Serves until it is told to stop."""
    configure_logs(settings)
    _check_exposure(settings)
    registry = registry_or_exit(settings)
    prepare_or_exit(settings)
    _allow_connections()
    if settings.web_processes > 1:
        import_module("web.app")  # they share what is there before they are forked
    server = Server(settings, registry)
    _keep()
    server.run()


def _keep() -> None:
    """What is here now stays: the collector need not look at it again, which costs CPU, and copies what is shared."""
    gc.collect()
    gc.freeze()


def _check_exposure(settings: Settings) -> None:
    """Ends the process with code 2 where other machines could call without a key."""
    if settings.is_loopback:
        return
    try:
        client = connect(settings.store_url, timeout_seconds=STORE_SECONDS, retries=3, max_connections=1)
        check_exposure(ApiKeyStore(client), settings)
    except (ConfigurationError, StoreUnavailable) as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None


def _allow_connections() -> None:
    """As many open files as that takes: the usual soft limit is 1,024."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS if most == resource.RLIM_INFINITY else min(most, 2 * CONNECTIONS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, wanted), most))
