"""The store's address, as redis-py takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit

from redis.connection import parse_url

from turns.config.store_url import (
    CLUSTER_SCHEME,
    IGNORED_OPTIONS,
    check_store_url,
    count_partitions,
    parse_nodes,
    parse_sentinels,
    to_certificate_check,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """`options` are those of a redis-py connection; they name no host where there are Sentinels or nodes.

    `nodes` are some nodes of a Redis Cluster, whose data are in `partitions`; 0 for any other store.
    """

    options: Mapping[str, Any]
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)
    nodes: tuple[tuple[str, int], ...] = ()
    partitions: int = 0


def parse_store_url(url: str) -> StoreAddress:
    """Parse a URL of redis-py, or `sentinel://[user:password@]host[:port],…/service[?db=0&sentinel_password=…]`.

    For a Redis Cluster: `rediscluster://[user:password@]host[:port],…[?partitions=24&ssl=true]`. Raises ValueError.
    """
    check_store_url(url)
    parts = urlsplit(url)
    if parts.scheme == CLUSTER_SCHEME:
        return StoreAddress(
            options=_parse_cluster_options(parts), nodes=parse_nodes(parts), partitions=count_partitions(url)
        )
    if parts.scheme != "sentinel":
        return StoreAddress(options=_parse_options(url))
    login = parts.netloc.rpartition("@")[0]
    options = _parse_options(f"redis://{login}@/?{parts.query}")
    password = options.pop("sentinel_password", None)
    return StoreAddress(
        options=options,
        sentinels=parse_sentinels(parts),
        service=parts.path.strip("/"),
        sentinel_options={"password": password} if password else {},
    )


def _parse_cluster_options(parts: SplitResult) -> dict[str, Any]:
    """Return the options of a connection to any node."""
    named = dict(parse_qsl(parts.query))
    scheme = "rediss" if named.pop("ssl", "") == "true" else "redis"
    named.pop("partitions", None)
    return _parse_options(f"{scheme}://{parts.netloc.rpartition('@')[0]}@/?{urlencode(named)}")


def _parse_options(url: str) -> dict[str, Any]:
    parsed: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]  # untyped in redis-py
    options = {name: value for name, value in parsed.items() if name not in IGNORED_OPTIONS}
    if "ssl_cert_reqs" in options:
        options["ssl_cert_reqs"] = to_certificate_check(options["ssl_cert_reqs"])
    return options
