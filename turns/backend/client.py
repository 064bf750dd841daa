"""The Redis client of a process, and the mapping of Redis' failures to `StoreUnavailable`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import redis
from redis.backoff import ExponentialBackoff
from redis.client import Pipeline
from redis.connection import BlockingConnectionPool
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
from redis.sentinel import Sentinel, SentinelConnectionPool

from turns.backend.address import StoreAddress
from turns.backend.connections import PrimaryConnection, SocketFileConnection, TcpConnection, TlsConnection
from turns.domain.errors import StoreUnavailable

T = TypeVar("T")

# Redis answers but cannot take a write now: by exception class where redis-py has one, else by the first word.
REFUSALS = (OutOfMemoryError, ReadOnlyError)
# It answers, but serves neither reads nor writes, as if it could not be reached.
OUTAGES = (ConnectionError, TimeoutError, ClusterDownError, MasterDownError)
REFUSAL_PREFIXES = ("MISCONF", "NOREPLICAS", "LOADING", "BUSY")


class PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """A blocking pool of connections to the server that the Sentinels call the primary when a connection opens."""


class _Pipeline(Pipeline):
    """Raises errors as the store has sent them.

    redis-py would put the command in front: messages of users would get into logs, and the kind of error is no longer
    the first word.
    """

    def annotate_exception(self, exception: Exception, number: int, command: Sequence[Any]) -> None: ...


class Client(redis.Redis):
    """A Redis client whose commands raise `StoreUnavailable` when the store cannot serve them."""

    declared_keys: tuple[str, ...] = ()  # the keys that a script must declare; two in a partition of a Redis Cluster
    partition_number: int | None = None  # None outside of a Redis Cluster

    @property
    def partitions(self) -> Sequence["Client"]:
        """The clients of all partitions, the home partition first; outside of a Redis Cluster this client alone."""
        return (self,)

    @property
    def partitions_away(self) -> int:
        """The number of partitions that the last reads of all partitions have left out."""
        return 0

    def find_partition(self, turn_id: str) -> int:
        """Return the number of the partition of a turn. Raises `StoreUnavailable`."""
        return 0

    @property
    def home(self) -> "Client":
        """The client of what belongs to no session, such as API keys: that of the home partition."""
        return self.partitions[0]

    def gather(self, calls: Mapping[int, Callable[[], T]]) -> dict[int, T]:
        """Return the results of calls by partition, without partitions that are away, which are reported as missing.

        Raises `StoreUnavailable` if all are away.
        """
        return {number: call() for number, call in calls.items()}

    def execute_command(self, *args: Any, **options: Any) -> Any:
        with _store_errors():
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:
        return _Pipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)

    def execute_many(self, commands: Sequence[Sequence[str | int]], *, transaction: bool = False) -> list[Any]:
        """Send these commands in one round trip and return their replies."""
        if not commands:
            return []
        with _store_errors(), self.pipeline(transaction=transaction) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)  # type: ignore[no-untyped-call]  # untyped in redis-py
            return pipeline.execute()

    def read_hashes(self, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
        """Return these fields of each hash, without those that do not exist.

        A key that another program has replaced by one of another type has no fields, and hides no other one.
        """
        with _store_errors(), self.pipeline(transaction=False) as pipeline:
            for name in names:
                pipeline.execute_command("HMGET", name, *fields)  # type: ignore[no-untyped-call]  # untyped in redis-py
            return [_to_fields(fields, reply) for reply in pipeline.execute(raise_on_error=False)]

    def read_info(self, section: str) -> dict[str, Any]:
        """Return a section of INFO; empty where the user of the store has no permission for it."""
        try:
            return dict(self.info(section))
        except ResponseError:
            return {}

    def read_config(self, *patterns: str) -> dict[Any, Any]:
        """Return these configuration parameters; empty where the server refuses CONFIG, as some managed ones do."""
        try:
            return {name: value for pattern in patterns for name, value in self.config_get(pattern).items()}
        except ResponseError:
            return {}

    @contextmanager
    def on_one_connection(self) -> Iterator["Client"]:
        """Yield a client whose commands share one connection."""
        with _store_errors():
            one: Client = self.client()  # type: ignore[no-untyped-call]  # untyped in redis-py
        try:
            yield one
        finally:
            one.close()

    def stored_name(self, name: str) -> str:
        """Return the name of a key for a script's argument; the keys of commands need no other name."""
        return name

    def new_connection(self) -> Any:
        """Return a connection outside of the pool that is not connected yet."""
        pool: Any = self.connection_pool
        return pool.connection_class(**pool.connection_kwargs)


def _to_fields(names: Sequence[str], reply: Any) -> dict[str, str]:
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return {}
    if isinstance(reply, Exception):
        raise reply
    return {name: value.decode() for name, value in zip(names, reply, strict=True) if value is not None}


@contextmanager
def _store_errors() -> Iterator[None]:
    """Raise `StoreUnavailable` for the exceptions of redis-py that mean the store cannot serve a command."""
    try:
        yield
    except REFUSALS as error:
        raise StoreUnavailable(f"the store refuses to write: {error}", refused=True) from error
    except OUTAGES as error:
        raise StoreUnavailable(f"the store cannot be reached: {error}") from error
    except ResponseError as error:
        if str(error).startswith(REFUSAL_PREFIXES):
            raise StoreUnavailable(f"the store refuses to write: {error}", refused=True) from error
        raise


def connect_to(
    address: StoreAddress,
    *,
    timeout_seconds: float,
    retries: int,
    max_connections: int,
    pool_timeout_seconds: float | None = None,
) -> Client:
    """Return a client of the server at this address, or of the primary that its Sentinels name."""
    timeouts = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
    options: dict[str, Any] = {
        **address.options,
        **timeouts,
        "max_connections": max_connections,
        "timeout": pool_timeout_seconds or timeout_seconds,
        # A connection that a managed service moves is simply opened again.
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
        "health_check_interval": 15,
        "retry": Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
    }
    if address.sentinels:
        sentinel = Sentinel(address.sentinels, sentinel_kwargs={**address.sentinel_options, **timeouts})  # type: ignore[no-untyped-call]  # untyped in redis-py
        options["connection_class"] = PrimaryConnection
        return Client(connection_pool=PrimaryPool(address.service, sentinel, **options))  # type: ignore[no-untyped-call]  # untyped in redis-py
    if "path" in options:
        options["connection_class"] = SocketFileConnection
    else:
        options["connection_class"] = TlsConnection if "connection_class" in options else TcpConnection
    return Client(connection_pool=BlockingConnectionPool(**options))  # type: ignore[no-untyped-call]  # untyped in redis-py
