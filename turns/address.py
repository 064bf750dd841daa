"""Where the store is, as its URL says: one server, or a service whose Sentinels know which server is its primary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis.connection import parse_url

SENTINEL = "sentinel://"
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """`options` are those of a redis-py connection; they name no host where there are Sentinels."""

    options: Mapping[str, Any]
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)


def parse_store_url(url: str) -> StoreAddress:
    """Takes what redis-py takes, and `sentinel://[user:password@]host[:port],…/service[?db=0&sentinel_password=…]`.

    Raises ValueError, which says what is wrong with it.
    """
    if not url.startswith(SENTINEL):
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]  # untyped in redis-py
        return StoreAddress(options=options)
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    service = parts.path.strip("/")
    if not service:
        raise ValueError("a Sentinel URL ends in the name of its service, such as sentinel://host:26379/mymaster")
    options = parse_url(f"redis://{login}@/?{parts.query}")  # type: ignore[no-untyped-call]  # untyped in redis-py
    password = options.pop("sentinel_password", None)
    return StoreAddress(
        options=options,
        sentinels=tuple(_host(host) for host in hosts.split(",")),
        service=service,
        sentinel_options={"password": password} if password else {},
    )


def _host(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    if not parts.hostname:
        raise ValueError("a Sentinel URL names at least one host")
    return parts.hostname, parts.port or SENTINEL_PORT
