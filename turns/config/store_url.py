"""The URL of the store: a server, a service whose primary is found through its Sentinels, or a Redis Cluster."""

from collections.abc import Set
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from turns.config.network import find_certificate_problem

SCHEMES = ("redis", "rediss", "unix", "sentinel")
CLUSTER_SCHEME = "rediscluster"
SENTINEL_PORT = 26379
NODE_PORT = 6379
DEFAULT_PARTITIONS = 24
MAX_PARTITIONS = 240

# InTurn sets these itself. They are accepted, and ignored, so that other programs can use the same URL.
IGNORED_OPTIONS = frozenset(
    {
        "health_check_interval",
        "max_connections",
        "retry_on_timeout",
        "socket_connect_timeout",
        "socket_keepalive",
        "socket_read_size",
        "socket_timeout",
        "timeout",
    }
)
TLS_FILES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
TLS_OPTIONS = TLS_FILES | {
    "ssl_ca_data",
    "ssl_ca_path",
    "ssl_cert_reqs",
    "ssl_check_hostname",
    "ssl_ciphers",
    "ssl_min_version",
    "ssl_password",
}
OPTIONS = IGNORED_OPTIONS | {"db", "protocol", "client_name"}
CLUSTER_OPTIONS = OPTIONS - {"db"} | TLS_OPTIONS | {"partitions", "ssl"}
NO_SENTINEL_TLS = "TLS is not supported with Sentinels: use a tunnel, or rediss:// with the address of the primary"
CERTIFICATE_CHECKS = ("required", "optional", "none")


def check_store_url(url: str) -> None:
    """Raise ValueError with the reason if the URL is not usable. The reason never quotes the URL: it has a password."""
    scheme = url.partition(":")[0]
    if scheme == CLUSTER_SCHEME:
        return _check_cluster_url(url)
    if scheme not in SCHEMES and "sentinel" in scheme:
        raise ValueError(f"must begin with sentinel://; {NO_SENTINEL_TLS}")
    if scheme not in SCHEMES:
        raise ValueError(f"must begin with one of {', '.join(f'{scheme}://' for scheme in (*SCHEMES, CLUSTER_SCHEME))}")
    parts = _split(url)
    options = parse_qsl(parts.query, keep_blank_values=True)
    if scheme == "sentinel":
        if not parts.path.strip("/"):
            raise ValueError("must end in the name of the service, such as sentinel://host:26379/mymaster")
    elif scheme == "unix":
        if parts.netloc.rpartition("@")[2] or len(parts.path) < 2:
            raise ValueError("must name a socket file, such as unix:///run/store.sock")
    elif parts.path.strip("/") and not _is_number(parts.path[1:]):
        raise ValueError("must end in the number of a database, such as redis://host:6379/0")
    for name, value in options:
        _check_option(name, value, scheme)
    return None


def _check_cluster_url(url: str) -> None:
    """Raise ValueError unless it is `rediscluster://[user:password@]host[:port][,host…][?partitions=24&ssl=true]`."""
    parts = _split(url)
    if parts.path.strip("/"):
        raise ValueError("must not name a database: a Redis Cluster has no other than 0")
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if "db" in options:
        raise ValueError("has an option db, and a Redis Cluster has no database other than 0")
    if not options.keys() <= CLUSTER_OPTIONS:
        raise _unknown_option(CLUSTER_OPTIONS)
    tls = options.pop("ssl", "false")
    if tls not in {"true", "false"}:
        raise ValueError("has an option ssl that is neither true nor false")
    if not _is_partition_count(options.pop("partitions", str(DEFAULT_PARTITIONS))):
        raise ValueError(f"has an option partitions that is not a number from 1 to {MAX_PARTITIONS}")
    for name, value in options.items():
        if name in TLS_OPTIONS and tls == "false":
            raise ValueError(f"has the option {name}, which needs ssl=true")
        _check_option(name, value, "rediss" if tls == "true" else "redis")


def _is_partition_count(text: str) -> bool:
    return _is_number(text) and 1 <= int(text) <= MAX_PARTITIONS


def count_partitions(url: str) -> int:
    """Return the number of partitions of a valid URL; 0 if the store is not a Redis Cluster."""
    parts = urlsplit(url)
    if parts.scheme != CLUSTER_SCHEME:
        return 0
    return int(dict(parse_qsl(parts.query)).get("partitions", DEFAULT_PARTITIONS))


def parse_nodes(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    """Return the addresses of the nodes at which a Redis Cluster is asked first; ValueError if one has no host."""
    return _parse_hosts(parts, "must name its nodes, such as rediscluster://host:6379,host:6379", NODE_PORT)


def parse_sentinels(parts: SplitResult) -> tuple[tuple[str, int], ...]:
    """Return the addresses of the Sentinels; raise ValueError if one has no host."""
    return _parse_hosts(
        parts, "must name its Sentinels, such as sentinel://host:26379,host:26379/mymaster", SENTINEL_PORT
    )


def _parse_hosts(parts: SplitResult, rule: str, default_port: int) -> tuple[tuple[str, int], ...]:
    addresses = [urlsplit(f"//{host}") for host in parts.netloc.rpartition("@")[2].split(",")]
    if not all(address.hostname for address in addresses):
        raise ValueError(rule)
    return tuple((address.hostname or "", address.port or default_port) for address in addresses)


def _split(url: str) -> SplitResult:
    """Return the parts of a URL without a fragment, with valid hosts and ports."""
    if not url.isprintable():  # `urlsplit` removes line breaks
        raise ValueError("must not contain line breaks")
    try:
        parts = urlsplit(url)
        hosts = {"sentinel": parse_sentinels, CLUSTER_SCHEME: parse_nodes}.get(parts.scheme)
        is_valid = bool(hosts(parts)) if hosts else parts.port != 0
    except ValueError:  # its text would quote a part of the password
        is_valid = False
    if not is_valid or parts.fragment or "#" in url or "@" in parts.query:
        raise ValueError(
            "must have valid hosts and ports, and no # / ? @ in its password or path: write %23 %2F %3F %40 for them"
        )
    return parts


def _check_option(name: str, value: str, scheme: str) -> None:
    known = OPTIONS | (TLS_OPTIONS if scheme == "rediss" else {"sentinel_password"} if scheme == "sentinel" else set())
    if scheme == "sentinel" and name.startswith("ssl"):
        raise ValueError(f"has an option for TLS; {NO_SENTINEL_TLS}")
    if name in TLS_OPTIONS and scheme != "rediss":
        raise ValueError(f"has the option {name}, which needs rediss://")
    if name not in known:
        raise _unknown_option(known)
    if name == "db" and not _is_number(value):
        raise ValueError("has an option db that is not a number")
    if name == "protocol" and value not in {"2", "3"}:
        raise ValueError("has an option protocol that is neither 2 nor 3")
    _check_tls_option(name, value)


def _unknown_option(known: Set[str]) -> ValueError:
    return ValueError(f"has an unknown option; known options: {', '.join(sorted(known))}")


def _check_tls_option(name: str, value: str) -> None:
    if name == "ssl_cert_reqs" and to_certificate_check(value) not in CERTIFICATE_CHECKS:
        raise ValueError(f"has an option ssl_cert_reqs that is not one of {', '.join(CERTIFICATE_CHECKS)}")
    if name in TLS_FILES and not Path(value).is_file():
        raise ValueError(f"has an option {name} that does not name a file")
    if name == "ssl_ca_certs" and find_certificate_problem(value):
        raise ValueError("has an option ssl_ca_certs whose file does not consist of certificates in PEM format")
    if name == "ssl_ca_path" and not Path(value).is_dir():
        raise ValueError("has an option ssl_ca_path that does not name a directory")
    if name == "ssl_min_version" and not _is_number(value):
        raise ValueError("has an option ssl_min_version that is not a number, such as 771 for TLS 1.2")


def to_certificate_check(value: str) -> str:
    """Return redis-py's name of a certificate check, also for Celery's name, such as CERT_NONE."""
    return value.lower().removeprefix("cert_")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()
