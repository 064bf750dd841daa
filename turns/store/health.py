"""The durability of the store, whether it takes writes, its version, and the live workers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import DEAD_WORKER_SECONDS
from turns.domain.errors import StoreUnavailable
from turns.domain.worker_kind import WorkerKind, kind_of

# Redis refuses this script exactly when it refuses `accept.lua`: as a replica, without memory, or if it cannot persist.
# It names no key and writes nothing, so it costs as much as a PING.
WRITE_PROBE = "#!lua\nreturn 1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the store.

    `durability` is the loss that a power failure can cause, see `docs/operations.md`. Each confirmed write is on
    `replicas` replicas. Unless `is_safe`, Redis may evict data at any time. `live_chain_workers` are among
    `live_workers`. `refusal` is the store's reason for
    refusing writes now, or "".
    """

    durability: str
    eviction_policy: str
    replicas: int
    live_workers: int
    live_chain_workers: int
    live_turns: int
    refusal: str = ""

    @property
    def is_safe(self) -> bool:
        return self.eviction_policy in {"noeviction", "unknown"}


def read_health(client: Client, *, replicas: int) -> Health:
    """Return the state of the store. Raises `StoreUnavailable`."""
    live = client.hget(keys.SERVICE.name, "live")
    workers = list_live_workers(client)
    config = client.read_config("append*", "maxmemory-policy")
    return Health(
        durability=_durability(config),
        eviction_policy=config.get("maxmemory-policy", "unknown"),
        replicas=replicas,
        live_workers=len(workers),
        live_chain_workers=sum(kind_of(name) is WorkerKind.CHAINS for name in workers),
        live_turns=int(live or 0),
        refusal=read_refusal(client),
    )


def read_refusal(client: Client) -> str:
    """Return the store's reason for refusing writes now; "" if it takes them. Raises `StoreUnavailable`."""
    try:
        client.execute_command("EVAL", WRITE_PROBE, 0)
    except StoreUnavailable as error:
        if not error.refused:
            raise
        return str(error)
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreServer:
    """The store's software; `skew_seconds` is its clock minus this machine's."""

    name: str
    version: tuple[int, ...]
    skew_seconds: float


def read_store_server(client: Client) -> StoreServer:
    """Return name, version and clock skew of the store. Raises `StoreUnavailable`."""
    info = cast(Mapping[str, str], client.info("server"))
    is_valkey = "valkey_version" in info
    version = info["valkey_version" if is_valkey else "redis_version"]
    seconds, microseconds = client.time()
    return StoreServer(
        name="Valkey" if is_valkey else "Redis",
        version=tuple(int(part) for part in version.split(".") if part.isdigit()),
        skew_seconds=seconds + microseconds / 1e6 - time.time(),
    )


def list_live_workers(client: Client, kind: WorkerKind | None = None) -> list[str]:
    """Return the names of the workers, of this kind if given, with a recent heartbeat. Raises `StoreUnavailable`."""
    seconds, _ = client.time()
    alive = client.zrangebyscore(keys.WORKERS.name, (seconds - DEAD_WORKER_SECONDS) * 1000, "+inf")
    names = [name.decode() for name in cast(list[bytes], alive)]
    return [name for name in names if kind in {None, kind_of(name)}]


def _durability(config: Mapping[Any, Any]) -> str:
    if "appendonly" not in config:
        return "unknown"
    return str(config.get("appendfsync", "unknown")) if config["appendonly"] == "yes" else "none"
