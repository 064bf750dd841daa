"""The store's address, as redis-py takes it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from redis.connection import parse_url

from turns.config.store_url import check_store_url, parse_sentinels


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """`options` are those of a redis-py connection; they name no host where there are Sentinels."""

    options: Mapping[str, Any]
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)


def parse_store_url(url: str) -> StoreAddress:
    """Takes what redis-py takes, and `sentinel://[user:password@]host[:port],…/service[?db=0&sentinel_password=…]`.

    Raises ValueError.
    """
    check_store_url(url)
    parts = urlsplit(url)
    if parts.scheme != "sentinel":
        return StoreAddress(options=parse_url(url))  # type: ignore[no-untyped-call]  # untyped in redis-py
    login = parts.netloc.rpartition("@")[0]
    options: dict[str, Any] = parse_url(f"redis://{login}@/?{parts.query}")  # type: ignore[no-untyped-call]  # as above
    password = options.pop("sentinel_password", None)
    return StoreAddress(
        options=options,
        sentinels=parse_sentinels(parts),
        service=parts.path.strip("/"),
        sentinel_options={"password": password} if password else {},
    )
