"""Open the store that `REDIS_URL` names, and check that it accepts connections."""

import ssl
import sys
from types import MappingProxyType

from redis.exceptions import AuthenticationError, InvalidResponse, NoPermissionError, ResponseError

from turns.backend.address import StoreAddress, parse_store_url
from turns.backend.client import Client, connect_to
from turns.backend.cluster.cluster import Cluster
from turns.backend.cluster.slot_client import SlotClient
from turns.backend.partition.client import PartitionClient
from turns.backend.partition.gathering import GatheringClient
from turns.backend.partition.tags import hash_tags, slot_of
from turns.domain.errors import ConfigurationError, StoreUnavailable

CHECK_TIMEOUT_SECONDS = 0.8  # a wrong setting ends a process within a second
WRONG_KIND = MappingProxyType(
    {
        True: "the server is a node of a Redis Cluster; use rediscluster:// for it",
        False: "the server is not a node of a Redis Cluster; use redis:// for it",
    }
)
NO_CLUSTER = "cluster support disabled"  # the reply of a server without cluster mode to CLUSTER
NO_SENTINEL = "unknown command 'sentinel'"


def connect(
    url: str, *, timeout_seconds: float, retries: int, max_connections: int, pool_timeout_seconds: float | None = None
) -> Client:
    """Return a client; it connects with its first command. For a Redis Cluster it is that of the home partition.

    `timeout_seconds` bounds each connect and each reply, `retries` how often a command is sent again.
    `pool_timeout_seconds` bounds the wait for a free connection; None: `timeout_seconds`.

    Raises ValueError for a malformed URL.
    """
    address = parse_store_url(url)
    open_address = _open_cluster if address.nodes else connect_to
    return open_address(
        address,
        timeout_seconds=timeout_seconds,
        retries=retries,
        max_connections=max_connections,
        pool_timeout_seconds=pool_timeout_seconds,
    )


def check_store(url: str) -> None:
    """Raise `ConfigurationError` if the store rejects connections in a way that waiting cannot cure.

    Return if it accepts them, or does not answer yet.
    """
    client = connect(url, timeout_seconds=CHECK_TIMEOUT_SECONDS, retries=0, max_connections=1)
    try:
        client.ping()
        is_cluster = client.info("cluster").get("cluster_enabled") == 1
    except StoreUnavailable as error:
        if reason := _rejection(error):
            raise ConfigurationError(f"REDIS_URL: {reason}") from None
        return
    except InvalidResponse:
        raise ConfigurationError("REDIS_URL: the server there is neither Redis nor Valkey; correct the port") from None
    except NoPermissionError:
        return  # the commands that are needed may be permitted
    except ResponseError as error:
        reason = f"the store rejects the connection: {error}"
        if NO_SENTINEL in str(error).lower():
            reason = "the server is not a Sentinel; use redis://, or rediscluster:// for a Redis Cluster"
        raise ConfigurationError(f"REDIS_URL: {reason}") from None
    finally:
        client.close()
    if is_cluster != bool(parse_store_url(url).nodes):
        raise ConfigurationError(f"REDIS_URL: {WRONG_KIND[is_cluster]}")


def check_store_or_exit(url: str) -> None:
    """Call `check_store`; if the store rejects connections, print the reason and exit with code 2."""
    try:
        check_store(url)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None


def _open_cluster(
    address: StoreAddress,
    *,
    timeout_seconds: float,
    retries: int,
    max_connections: int,
    pool_timeout_seconds: float | None,
) -> Client:
    cluster = Cluster(
        address,
        timeout_seconds=timeout_seconds,
        retries=retries,
        max_connections=max_connections,
        pool_timeout_seconds=pool_timeout_seconds,
    )
    count = address.partitions
    slots = [slot_of(f"{{{tag}}}") for tag in hash_tags(count)]
    clients = [PartitionClient(SlotClient(cluster, slot), count=count, number=n) for n, slot in enumerate(slots)]
    return GatheringClient(clients, cluster.close)


def _rejection(error: StoreUnavailable) -> str | None:
    """Return the reason for a rejected login or TLS connection, or a wrong scheme; None if waiting may help."""
    cause: BaseException = error
    while following := cause.__cause__ or cause.__context__:
        cause = following
        if isinstance(cause, AuthenticationError):
            return f"the store rejects the login: {str(cause).rstrip('.')}; correct the user and password"
        if isinstance(cause, ResponseError) and NO_CLUSTER in str(cause):
            return WRONG_KIND[False]
        if isinstance(cause, ssl.SSLError):
            reason = getattr(cause, "verify_message", None) or cause.reason or "handshake failed"
            return (
                f"the TLS connection to the store fails: {reason}; see ssl_ca_certs and ssl_cert_reqs, or use redis://"
            )
    return None
