"""The URL of the store: a server, or a service whose primary is found through its Sentinels."""

from urllib.parse import SplitResult, urlsplit

SCHEMES = ("redis", "rediss", "unix", "sentinel")
SENTINEL_PORT = 26379


def check_store_url(url: str) -> None:
    """Raise ValueError with the reason if the URL is not usable."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if parts.scheme == "sentinel":
        parse_sentinels(parts)
        if not parts.path.strip("/"):
            raise ValueError("must end in the name of the service, such as sentinel://host:26379/mymaster")
    elif parts.port == 0:  # `port` raises ValueError if it is not a number
        raise ValueError("must name a port from 1 to 65535")


def parse_sentinels(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    """Return the addresses of the Sentinels; raise ValueError if one has no host."""
    addresses = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(address.hostname for address in addresses):
        raise ValueError("must name its Sentinels, such as sentinel://host:26379,host:26379/mymaster")
    return tuple((address.hostname or "", address.port or SENTINEL_PORT) for address in addresses)
