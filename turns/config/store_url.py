"""The store's URL: one server, or a service whose Sentinels know which server is its primary."""

from urllib.parse import SplitResult, urlsplit

SCHEMES = ("redis", "rediss", "unix", "sentinel")
SENTINEL_PORT = 26379


def check_store_url(url: str) -> None:
    """Raises ValueError, which says what is wrong."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in SCHEMES)}")
    if parts.scheme == "sentinel":
        parse_sentinels(parts)
        if not parts.path.strip("/"):
            raise ValueError("must end in the name of the service, such as sentinel://host:26379/mymaster")
    elif parts.port == 0:  # asking for it raises if it is no number
        raise ValueError("must name a port from 1 to 65535")


def parse_sentinels(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    places = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(place.hostname for place in places):
        raise ValueError("must name its Sentinels, such as sentinel://host:26379,host:26379/mymaster")
    return tuple((place.hostname or "", place.port or SENTINEL_PORT) for place in places)
