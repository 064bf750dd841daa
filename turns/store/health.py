"""The state of the store: durability, memory, safety, whether it takes writes, its version, and the live workers."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.tags import HOME
from turns.backend.script_loader import DEAD_WORKER_SECONDS
from turns.backend.script_runner import Script, run_script
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.worker_kind import WorkerKind, kind_of

# Shares of the memory limit. At the second one, a burst of turns fills the store within seconds.
NEARLY_FULL_SHARE = 0.8
FULL_SHARE = 0.98

# Redis refuses this script exactly when it refuses `accept.lua`: as a replica, without memory, or if it cannot persist.
# It names no key and writes nothing, so it costs as much as a PING.
WRITE_PROBE = Script.of("#!lua\nreturn 1")


class Readiness(StrEnum):
    """Whether the service can take turns and run them; the first reason against it that applies."""

    REFUSING = "refusing"  # the store refuses writes
    UNSAFE = "unsafe"  # the store may evict turns, so none is accepted
    NO_WORKERS = "no_workers"  # a worker has run before, and none is alive
    OK = "ok"


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """The memory of the store; `limit_bytes` is 0 without a limit."""

    used_bytes: int
    limit_bytes: int
    eviction_policy: str

    @property
    def share(self) -> float:
        """The used share of the limit; 0 without a limit."""
        return self.used_bytes / self.limit_bytes if self.limit_bytes else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """The state of the store.

    `durability` is the loss that a power failure can cause, see `docs/guides/operations.md`. Each confirmed write is on
    `replicas` replicas. Unless `is_safe`, Redis may evict data at any time. `live_chain_workers` are among
    `live_workers`. `refusal` is the store's reason for refusing writes now, or ""; `refuses_partly`: only some
    partitions of a Redis Cluster do, and not the home partition. `had_workers`: a worker has run since the store was
    created. `partitions_away` of a Redis Cluster do not answer.
    """

    durability: str
    memory: Memory
    replicas: int
    live_workers: int
    live_chain_workers: int
    live_turns: int
    had_workers: bool = False
    allows_unsafe: bool = False
    refusal: str = ""
    refuses_partly: bool = False
    partitions_away: int = 0

    @property
    def is_safe(self) -> bool:
        return is_safe_policy(self.memory.eviction_policy)

    @property
    def readiness(self) -> Readiness:
        if self.refusal and not self.refuses_partly:
            return Readiness.REFUSING
        if not self.is_safe and not self.allows_unsafe:
            return Readiness.UNSAFE
        return Readiness.NO_WORKERS if self.had_workers and not self.live_workers else Readiness.OK


def is_safe_policy(eviction_policy: str) -> bool:
    """Return whether a store with this `maxmemory-policy` keeps all data. One that hides its policy counts as safe."""
    return eviction_policy in {"noeviction", "unknown"}


def read_health(client: Client, settings: Settings) -> Health:
    """Return the state of the store. Raises `StoreUnavailable`."""
    live, hint = cast(list[bytes | None], client.hmget(keys.SERVICE.name, ["live", "hint"]))
    workers = list_live_workers(client)
    refusals = _probe_writes(client)
    return Health(
        durability=_durability(client.read_config("append*")),
        memory=read_memory(client),
        replicas=settings.replicas,
        live_workers=len(workers),
        live_chain_workers=sum(kind_of(name) is WorkerKind.CHAINS for name in workers),
        live_turns=int(live or 0),
        had_workers=hint is not None,
        allows_unsafe=settings.allow_unsafe_store,
        refusal=next(filter(None, refusals.values()), ""),
        refuses_partly=any(refusals.values()) and not all(refusals.values()) and not refusals.get(HOME),
        partitions_away=client.partitions_away,
    )


def read_memory(client: Client) -> Memory:
    """Return the memory and the eviction policy of the store. Raises `StoreUnavailable`."""
    info = client.read_info("memory")
    return Memory(
        used_bytes=int(info.get("used_memory", 0)),
        limit_bytes=int(info.get("maxmemory", 0)),
        eviction_policy=str(info.get("maxmemory_policy", "unknown")),
    )


def read_refusal(client: Client) -> str:
    """Return a reason of the store for refusing writes now; "" if it takes them. Raises `StoreUnavailable`."""
    return next(filter(None, _probe_writes(client).values()), "")


def _probe_writes(client: Client) -> Mapping[int, str]:
    """Return the reason of each partition that is not away for refusing writes, or ""."""
    return client.gather({number: partial(_probe, one) for number, one in enumerate(client.partitions)})


def _probe(partition: Client) -> str:
    try:
        run_script(partition, WRITE_PROBE)
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
