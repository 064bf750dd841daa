"""How a process reaches Redis, and what it makes of the ways in which Redis can be away."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.connection import BlockingConnectionPool, DefaultParser, UnixDomainSocketConnection
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TimeoutError,
)
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry
from redis.sentinel import Sentinel, SentinelConnectionPool, SentinelManagedConnection

from turns.backend.address import parse_store_url
from turns.backend.pool import Pool
from turns.domain.errors import StoreUnavailable

# Redis is there, but cannot take a write now: classes where the client knows the answer, else its first word.
REFUSALS = (OutOfMemoryError, ReadOnlyError, ClusterDownError, MasterDownError)
REFUSING_WORDS = ("MISCONF", "NOREPLICAS", "LOADING", "BUSY")


class Parser(DefaultParser):  # type: ignore[misc,valid-type]  # its class depends on whether hiredis is there
    """Looks itself whether an idle line is quiet: redis-py asks `poll`, for which gevent goes once around its loop, and
    that is a third of what a command costs."""

    def can_read(self, timeout: float = 0) -> bool:
        reader = getattr(self, "_reader", None)  # of hiredis; without it, and without a line, the stock look serves
        if not timeout and reader and not reader.has_data() and _is_quiet(self._sock):
            return False
        return bool(super().can_read(timeout))


def _is_quiet(line: socket.socket) -> bool:
    """Nothing has come over it: no answer that nobody waits for, no end, no error."""
    if isinstance(line, ssl.SSLSocket):
        return False  # what has come need not be an answer yet
    patience = line.gettimeout()
    line.settimeout(0)
    try:
        line.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        line.settimeout(patience)
    return False


class SocketFileConnection(UnixDomainSocketConnection):
    """redis-py 8.1 asks for the port when connecting to a socket file takes too long."""

    port = 0


class PrimaryConnection(SentinelManagedConnection):
    """redis-py 8.1 keeps its own open when a run is stopped in wait for a reply; whoever is next would get that one."""

    def read_response(self, *args: Any, disconnect_on_error: bool | None = True, **options: Any) -> Any:
        return super().read_response(*args, disconnect_on_error=disconnect_on_error, **options)


class PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to whatever server the Sentinels call the primary at the moment of connecting."""

    def open(self, connection: Any) -> None:
        """It is connected, to another server maybe than before."""
        connection.connect()


class Client(redis.Redis):
    """A Redis client whose commands raise `StoreUnavailable` when the store cannot serve them."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _in_our_words():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py

    def ask(self, *command: str | int) -> Any:
        """The bare reply to a command that may run twice; without what redis-py does beside, at 12 µs."""
        with _in_our_words():
            pool: Any = self.connection_pool
            connection = self.connection or pool.get_connection()

            def once() -> Any:
                pool.open(connection)
                connection.send_command(*command)
                return connection.read_response()

            def reopen(_: Exception) -> None:
                """Where one line was cut, the idle ones were too."""
                connection.disconnect()
                pool.disconnect(inuse_connections=False)

            try:
                return connection.retry.call_with_retry(once, reopen)
            finally:
                if not self.connection:
                    pool.release(connection)

    def execute_many(self, commands: Sequence[Sequence[str | int]]) -> list[Any]:
        """The answers to all of these commands, which are sent at once; others may be served in between."""
        if not commands:
            return []
        with _in_our_words(), self.pipeline(transaction=False) as line:
            for command in commands:
                line.execute_command(*command)  # type: ignore[no-untyped-call]  # untyped in redis-py
            return line.execute()

    def read_config(self, *patterns: str) -> dict[Any, Any]:
        """Return these configuration parameters; empty where the server refuses CONFIG, as some managed ones do."""
        try:
            return {name: value for pattern in patterns for name, value in self.config_get(pattern).items()}
        except ResponseError:
            return {}

    @contextmanager
    def on_one_connection(self) -> Iterator["Client"]:
        """Commands that must share a connection."""
        with _in_our_words():
            one: Client = self.client()  # type: ignore[no-untyped-call]  # untyped in redis-py
        try:
            yield one
        finally:
            one.close()

    def new_connection(self) -> Any:
        """A connection outside of the pool, not connected yet."""
        pool: Any = self.connection_pool
        return pool.connection_class(**pool.connection_kwargs)


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except REFUSALS as error:
        raise StoreUnavailable(f"the store refuses to write: {error}", refused=True) from error
    except (ConnectionError, TimeoutError) as error:
        raise StoreUnavailable(f"the store cannot be reached: {error}") from error
    except ResponseError as error:
        if str(error).startswith(REFUSING_WORDS):
            raise StoreUnavailable(f"the store refuses to write: {error}", refused=True) from error
        raise


def connect(
    url: str, *, timeout_seconds: float, retries: int, max_connections: int, patience_seconds: float | None = None
) -> Client:
    """A client that waits so long for each answer, and asks again so often; `patience_seconds`, or as long, for a free
    connection.

    Raises ValueError for a bad URL.
    """
    address = parse_store_url(url)
    timeouts = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
    options: dict[str, Any] = {
        **address.options,
        **timeouts,
        "max_connections": max_connections,
        "timeout": patience_seconds or timeout_seconds,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),  # a line that moves is opened anew
        "health_check_interval": 15,
        "parser_class": Parser,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
    }
    if address.sentinels:
        sentinel = Sentinel(address.sentinels, sentinel_kwargs={**address.sentinel_options, **timeouts})  # type: ignore[no-untyped-call]  # untyped in redis-py
        options["connection_class"] = PrimaryConnection
        return Client(connection_pool=PrimaryPool(address.service, sentinel, **options))  # type: ignore[no-untyped-call]  # untyped in redis-py
    if "path" in options:
        options["connection_class"] = SocketFileConnection
    return Client(connection_pool=Pool(**options))  # type: ignore[no-untyped-call]  # untyped in redis-py
