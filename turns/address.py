"""Where the store is, as its URL says: one server, or a service whose Sentinels know which server is its primary."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, urlsplit

SCHEMES = ("redis", "rediss", "unix", "sentinel")
SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreAddress:
    """`options` are those of a redis-py connection; they name no host where there are Sentinels."""

    options: Mapping[str, Any]
    sentinels: tuple[tuple[str, int], ...] = ()
    service: str = ""
    sentinel_options: Mapping[str, Any] = field(default_factory=dict)


def check_store_url(url: str) -> None:
    """Raises ValueError, which says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if parts.scheme == "sentinel":
        _sentinels(parts)
        if not parts.path.strip("/"):
            raise ValueError("must end in the name of the service, such as sentinel://host:26379/mymaster")
    elif parts.port == 0:  # asking for it raises if it is no number
        raise ValueError("must name a port from 1 to 65535")


def parse_store_url(url: str) -> StoreAddress:
    """Takes what redis-py takes, and `sentinel://[user:password@]host[:port],…/service[?db=0&sentinel_password=…]`.

    Raises ValueError.
    """
    from redis.connection import parse_url  # noqa: PLC0415  # settings come before gevent, and gevent before redis

    check_store_url(url)
    parts = urlsplit(url)
    if parts.scheme != "sentinel":
        return StoreAddress(options=parse_url(url))  # type: ignore[no-untyped-call]  # untyped in redis-py
    login = parts.netloc.rpartition("@")[0]
    options: dict[str, Any] = parse_url(f"redis://{login}@/?{parts.query}")  # type: ignore[no-untyped-call]  # as above
    password = options.pop("sentinel_password", None)
    return StoreAddress(
        options=options,
        sentinels=_sentinels(parts),
        service=parts.path.strip("/"),
        sentinel_options={"password": password} if password else {},
    )


def _sentinels(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    places = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(place.hostname for place in places):
        raise ValueError("must name its Sentinels, such as sentinel://host:26379,host:26379/mymaster")
    return tuple((place.hostname or "", place.port or SENTINEL_PORT) for place in places)
