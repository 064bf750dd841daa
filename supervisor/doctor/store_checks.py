"""Check the store: its version, clock, durability and memory, and whether it takes writes."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from supervisor.doctor.finding import Finding, Verdict
from turns.backend.client import Client
from turns.backend.installation import check_agreement
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError
from turns.store.health import FULL_SHARE, NEARLY_FULL_SHARE, Health, StoreServer

MIN_SERVER_VERSIONS = {"Redis": (7, 0), "Valkey": (7, 2)}
MAX_SKEW_SECONDS = 2.0
WRITE_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        "NOREPLICAS": "start the replicas that min-replicas-to-write requires",
        "replica": "REDIS_URL names a replica: name its primary, or the Sentinels (sentinel://)",
        "maxmemory": "raise maxmemory, or free memory: delete sessions, or lower INTURN_SESSION_TTL_SECONDS",
        "MISCONF": "the store cannot write to its disk: free space there; its log has the reason",
    }
)


def check_server_version(server: StoreServer, settings: Settings) -> Finding:
    namespace = f", namespace {settings.namespace}" if settings.namespace else ""
    observed = f"{server.name} {'.'.join(map(str, server.version))}{namespace}"
    required = MIN_SERVER_VERSIONS[server.name]
    if server.version >= required:
        return Finding(Verdict.OK, "store", observed)
    remedy = f"upgrade to {server.name} {'.'.join(map(str, required))} or later"
    return Finding(Verdict.WRONG, "store", observed, remedy)


def check_installation(client: Client, settings: Settings) -> Iterator[Finding]:
    """Yield a finding if a process with these settings could not share the store with those that have used it."""
    try:
        check_agreement(client, settings)
    except ConfigurationError as error:
        yield Finding(
            Verdict.WRONG, "installation", str(error), "see “Several installations” in docs/guides/operations.md"
        )


def check_clock(server: StoreServer) -> Finding:
    skew_seconds = abs(server.skew_seconds)
    observed = f"{skew_seconds:.1f} s from the clock of this machine"
    if skew_seconds <= MAX_SKEW_SECONDS:
        return Finding(Verdict.OK, "the store's clock", observed)
    remedy = "synchronize both with the same time server; leases depend on the store's clock only"
    return Finding(Verdict.NOTE, "the store's clock", observed, remedy)


def check_durability(health: Health) -> Finding:
    if health.durability == "always":
        return Finding(Verdict.OK, "durability", "each write is on disk before it is confirmed")
    remedy = "to lose nothing in a power cut, set appendonly yes and appendfsync always (see docs/guides/operations.md)"
    return Finding(Verdict.NOTE, "durability", health.durability, remedy)


def check_eviction(health: Health) -> Finding:
    policy = health.memory.eviction_policy
    if health.is_safe:
        return Finding(Verdict.OK, "eviction", policy)
    remedy = "CONFIG SET maxmemory-policy noeviction; any other policy may delete a queue or a history"
    return Finding(Verdict.WRONG, "eviction", policy, remedy)


def check_memory(health: Health) -> Finding:
    memory = health.memory
    if not memory.limit_bytes:
        return Finding(Verdict.OK, "memory", f"{to_mb(memory.used_bytes)} used; no limit is set")
    observed = f"{min(memory.share, 1):.0%} of {to_mb(memory.limit_bytes)} used"
    if memory.share < NEARLY_FULL_SHARE:
        return Finding(Verdict.OK, "memory", observed)
    verdict = Verdict.WRONG if memory.share >= FULL_SHARE else Verdict.NOTE
    return Finding(verdict, "memory", observed, WRITE_REMEDIES["maxmemory"])


def check_writes(health: Health) -> Finding:
    if not health.refusal:
        return Finding(Verdict.OK, "writes", "the store takes them")
    remedy = next((remedy for word, remedy in WRITE_REMEDIES.items() if word in health.refusal), "see the store's log")
    return Finding(Verdict.WRONG, "writes", health.refusal, remedy)


def to_mb(number: int) -> str:
    return f"{number / 1e6:,.0f} MB"
