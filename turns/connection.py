"""How a process reaches Redis, and what it makes of the ways in which Redis can be away."""

from typing import Any

import redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, ResponseError, TimeoutError
from redis.retry import Retry

from turns.errors import StoreUnavailable

# Redis is there, but cannot take a write now. The first word of its answer says so.
REFUSALS = ("OOM", "MISCONF", "NOREPLICAS", "READONLY", "LOADING", "BUSY", "MASTERDOWN", "CLUSTERDOWN")

POOL_WAIT_SECONDS = 20  # for a free connection; commands take milliseconds


class Client(redis.Redis):
    """A Redis client whose commands raise `StoreUnavailable` when the store cannot serve them."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # untyped in redis-py
        except (ConnectionError, TimeoutError) as error:
            raise StoreUnavailable(f"the store cannot be reached: {error}") from error
        except ResponseError as error:
            if str(error).startswith(REFUSALS):
                raise StoreUnavailable(f"the store refuses to serve: {error}") from error
            raise


def connect(url: str, *, timeout_seconds: float, retries: int, max_connections: int) -> Client:
    """A client that waits so long for each answer, asks again so often, and holds so many connections at most.

    Its own pool blocks when all are in use; the stock one raises instead.
    """
    pool = redis.BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=POOL_WAIT_SECONDS,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=1.0, base=0.05), retries),
    )
    return Client(connection_pool=pool)
