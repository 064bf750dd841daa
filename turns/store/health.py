"""The state of the store: durability, memory, safety, whether it takes writes, its version, and the live workers.

Each fact of a Redis Cluster is that of the worst node, because each partition is on one of them.
"""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from typing import TypeVar, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_loader import DEAD_WORKER_SECONDS
from turns.backend.script_runner import Script, run_script
from turns.config.settings import Settings
from turns.domain.errors import StoreUnavailable
from turns.domain.worker_kind import WorkerKind, kind_of

T = TypeVar("T")

# What a power failure can cost, from most to least; a server that refuses CONFIG has the durability "unknown".
DURABILITIES = ("none", "no", "everysec", "unknown", "always")

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
    `live_workers`. `refusal` is the store's reason for refusing writes now, or "". `refuses_partly`, `is_partly_safe`:
    only some partitions of a Redis Cluster refuse writes, or may evict, and not the first one that answers.
    `had_workers`: a worker has run since the store was created. `partitions_away` of a Redis Cluster do not answer.
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
    is_partly_safe: bool = False
    partitions_away: int = 0

    @property
    def is_safe(self) -> bool:
        return is_safe_policy(self.memory.eviction_policy)

    @property
    def readiness(self) -> Readiness:
        if self.refusal and not self.refuses_partly:
            return Readiness.REFUSING
        if not self.is_safe and not self.is_partly_safe and not self.allows_unsafe:
            return Readiness.UNSAFE
        return Readiness.NO_WORKERS if self.had_workers and not self.live_workers else Readiness.OK


def is_safe_policy(eviction_policy: str) -> bool:
    """Return whether a store with this `maxmemory-policy` keeps all data. One that hides its policy counts as safe."""
    return eviction_policy in {"noeviction", "unknown"}


def read_health(client: Client, settings: Settings) -> Health:
    """Return the state of the store. Raises `StoreUnavailable` if no partition of it answers."""
    refusals, memories = _ask_each(client, _probe), _ask_each(client, _read_memory)
    turns = _ask_each(client, _read_turns)
    # The home partition, or the first one that answers: each worker sends its heartbeat to all of them.
    first = min(memories)
    workers = list_live_workers(client.partitions[first])
    memory = _worst_of(memories.values())
    return Health(
        durability=min(_ask_each(client, _read_durability).values(), key=DURABILITIES.index),
        memory=memory,
        replicas=settings.replicas,
        live_workers=len(workers),
        live_chain_workers=sum(kind_of(name) is WorkerKind.CHAINS for name in workers),
        live_turns=sum(live for live, _ in turns.values()),
        had_workers=any(had_workers for _, had_workers in turns.values()),
        allows_unsafe=settings.allow_unsafe_store,
        refusal=next(filter(None, refusals.values()), ""),
        is_partly_safe=not is_safe_policy(memory.eviction_policy) and is_safe_policy(memories[first].eviction_policy),
        refuses_partly=any(refusals.values()) and not all(refusals.values()) and not refusals.get(first),
        partitions_away=client.partitions_away,
    )


def _read_turns(partition: Client) -> tuple[int, bool]:
    """Return the number of live turns, and whether a worker has run before."""
    live, hint = cast(list[bytes | None], partition.hmget(keys.SERVICE.name, ["live", "hint"]))
    return int(live or 0), hint is not None


def read_memory(client: Client) -> Memory:
    """Return the memory of the fullest node, with the least safe eviction policy. Raises `StoreUnavailable`."""
    return _worst_of(_ask_each(client, _read_memory).values())


def _worst_of(found: Collection[Memory]) -> Memory:
    fullest = max(found, key=lambda memory: memory.share)
    policies = (memory.eviction_policy for memory in found)
    unsafe = next((policy for policy in policies if not is_safe_policy(policy)), fullest.eviction_policy)
    return replace(fullest, eviction_policy=unsafe)


def _read_memory(partition: Client) -> Memory:
    info = partition.read_info("memory")
    return Memory(
        used_bytes=int(info.get("used_memory", 0)),
        limit_bytes=int(info.get("maxmemory", 0)),
        eviction_policy=str(info.get("maxmemory_policy", "unknown")),
    )


def read_refusal(client: Client) -> str:
    """Return a reason of the store for refusing writes now; "" if it takes them. Raises `StoreUnavailable`."""
    return next(filter(None, _ask_each(client, _probe).values()), "")


def _ask_each(client: Client, ask: Callable[[Client], T]) -> Mapping[int, T]:
    """Return the answer of each partition that is not away. Raises `StoreUnavailable` if all are."""
    return client.gather({number: partial(ask, one) for number, one in enumerate(client.partitions)})


def _probe(partition: Client) -> str:
    """Return the reason for which the store refuses writes, or ""."""
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
    """Return name, oldest version and largest clock skew of the store's servers. Raises `StoreUnavailable`."""
    found = _ask_each(client, _read_server).values()
    oldest = min(found, key=lambda server: server.version)
    return replace(oldest, skew_seconds=max((server.skew_seconds for server in found), key=abs))


def _read_server(client: Client) -> StoreServer:
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


def _read_durability(partition: Client) -> str:
    config = partition.read_config("append*")
    if "appendonly" not in config:
        return "unknown"
    return str(config.get("appendfsync", "unknown")) if config["appendonly"] == "yes" else "none"
