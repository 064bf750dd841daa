"""`make doctor`: check store, workers, keys, endpoint, model and packages, and print a fix for each problem."""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import version
from types import MappingProxyType

from supervisor.provider_check import ProviderCheck, State
from supervisor.readiness import read_readiness
from turns.access.api_keys import ApiKeyStore
from turns.access.key_record import KeyRecord
from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client, check_store_or_exit, connect
from turns.backend.installation import check_agreement
from turns.config import commands
from turns.config.settings import Settings, settings_or_exit
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.domain.worker_kind import WorkerKind
from turns.operations.facts import read_facts
from turns.operations.finding import Finding as ServiceFinding
from turns.operations.finding import Level
from turns.operations.verdict import evaluate
from turns.store.health import (
    FULL_SHARE,
    NEARLY_FULL_SHARE,
    Health,
    StoreServer,
    read_health,
    read_store_server,
)

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
# Findings of the operator page for which this module has its own checks.
REPORTED = frozenset({"store_refuses", "store_unsafe", "store_full", "store_nearly_full", "no_worker"})
MODEL_TIMEOUT_SECONDS = 60
MODEL_REMEDY = "check OPENAI_BASE_URL, INTURN_MODEL and the network"
MODEL_REMEDIES: Mapping[str, str] = MappingProxyType(
    {
        Code.PROVIDER_AUTHENTICATION: "check OPENAI_API_KEY and the account",
        Code.PROVIDER_QUOTA: "check the account of OPENAI_API_KEY",
        Code.PROVIDER_RATE_LIMITED: "wait, or raise the limit of the account of OPENAI_API_KEY",
        Code.PROVIDER_REJECTED: "check INTURN_MODEL, OPENAI_BASE_URL, and the fields of assistants.toml that are sent",
        Code.PROVIDER_UNREACHABLE: "check OPENAI_BASE_URL, the proxy variables and the network",
    }
)
# Earlier versions have known vulnerabilities, which docs/reference/dependencies.md lists.
MIN_PACKAGE_VERSIONS = {
    "flask": "3.1.3",
    "gunicorn": "23",
    "langchain-core": "1.3.3",
    "langchain-openai": "1.1.14",
    "urllib3": "2.7",
}


class Verdict(StrEnum):
    OK = "ok"
    NOTE = "note"
    WRONG = "wrong"


SERVICE_VERDICTS = MappingProxyType({Level.GOOD: Verdict.OK, Level.WARN: Verdict.NOTE, Level.BAD: Verdict.WRONG})
PROVIDER_VERDICTS = MappingProxyType(
    {State.HAS_MODELS: Verdict.OK, State.UNKNOWN: Verdict.NOTE, State.UNUSABLE: Verdict.WRONG}
)


@dataclass(frozen=True, slots=True)
class Finding:
    verdict: Verdict
    subject: str
    observed: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f"\n{'':8}→ {self.remedy}" if self.remedy else ""
        return f"{self.verdict:<7} {self.subject}: {self.observed}{remedy}"


def main() -> int:
    parser = argparse.ArgumentParser(prog=commands.DOCTOR, description=__doc__)
    parser.add_argument(
        "--ask-model", action="store_true", help="request one token from each model, at its usual price"
    )
    options = parser.parse_args()
    settings = settings_or_exit()
    check_store_or_exit(settings.store_url)
    is_wrong = False
    for finding in examine(settings, ask_model=options.ask_model):
        print(finding)
        is_wrong = is_wrong or finding.verdict is Verdict.WRONG
    return int(is_wrong)


def examine(settings: Settings, *, ask_model: bool) -> Iterator[Finding]:
    """Yield the finding of each check."""
    client = connect(settings.store_url, timeout_seconds=3, retries=0, max_connections=1)
    try:
        yield from check_store(client, settings)
    except StoreUnavailable as error:
        yield Finding(
            Verdict.WRONG, "store", str(error), f"start it ({commands.UP}), or use a running one: REDIS_URL=…"
        )
    yield check_endpoint(settings)
    yield from check_offline(settings)
    yield from ask_models(settings) if ask_model else check_providers(settings)
    yield check_packages()


def check_store(client: Client, settings: Settings) -> Iterator[Finding]:
    """Yield the findings that need the store. Raises `StoreUnavailable`."""
    server, health = read_store_server(client), read_health(client, settings)
    yield check_server_version(server, settings)
    yield from check_installation(client, settings)
    yield check_clock(server)
    yield check_durability(health)
    yield check_eviction(health)
    yield check_memory(health)
    yield check_writes(health)
    yield check_workers(health)
    yield from check_chain_workers(health, settings)
    yield check_keys(ApiKeyStore(client), settings)
    yield from check_service(evaluate(read_facts(client, settings, lost_turns=0)))


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
    observed = f"{memory.share:.0%} of {to_mb(memory.limit_bytes)} used"
    if memory.share < NEARLY_FULL_SHARE:
        return Finding(Verdict.OK, "memory", observed)
    verdict = Verdict.WRONG if memory.share >= FULL_SHARE else Verdict.NOTE
    return Finding(verdict, "memory", observed, WRITE_REMEDIES["maxmemory"])


def check_writes(health: Health) -> Finding:
    if not health.refusal:
        return Finding(Verdict.OK, "writes", "the store takes them")
    remedy = next((remedy for word, remedy in WRITE_REMEDIES.items() if word in health.refusal), "see the store's log")
    return Finding(Verdict.WRONG, "writes", health.refusal, remedy)


def check_workers(health: Health) -> Finding:
    alive = health.live_workers - health.live_chain_workers
    observed = f"{alive} alive, {health.live_turns} live turns"
    if alive:
        return Finding(Verdict.OK, "workers", observed)
    return Finding(Verdict.WRONG, "workers", observed, f"start one: {commands.WORKER}")


def check_chain_workers(health: Health, settings: Settings) -> Iterator[Finding]:
    """Yield a finding if an assistant has a custom chain, or if its file cannot be read."""
    try:
        needed_by = AssistantRegistry(settings).need_worker(WorkerKind.CHAINS)
    except ConfigurationError as error:
        yield Finding(Verdict.WRONG, "assistants", str(error), "correct the file; all its errors are listed")
        return
    observed = f"{health.live_chain_workers} alive, needed by {', '.join(needed_by)}"
    if health.live_chain_workers and needed_by:
        yield Finding(Verdict.OK, "chain workers", observed)
    elif needed_by:
        yield Finding(Verdict.WRONG, "chain workers", observed, f"start one: {commands.CHAIN_WORKER}")


def check_service(findings: Sequence[ServiceFinding]) -> Iterator[Finding]:
    """Yield what the operator page shows, except for what the checks above have reported."""
    others = [finding for finding in findings if finding.code not in REPORTED]
    for found in others:
        verdict = SERVICE_VERDICTS[found.level]
        yield Finding(verdict, "service", f"{found.headline} {found.detail}", found.todo)
    if not others:
        yield Finding(Verdict.NOTE, "service", "see the problems above")


def check_keys(api_keys: ApiKeyStore, settings: Settings) -> Finding:
    remedy = commands.CREATE_KEY
    if not api_keys.has_keys() and requires_keys(settings):
        observed = "none exist, but they are required: is the store empty, or an older copy? Every request is refused"
        return Finding(Verdict.WRONG, "keys", observed, remedy)
    if not api_keys.has_keys():
        if settings.is_loopback:
            return Finding(Verdict.OK, "keys", "none exist; requests need none, and only this machine can connect")
        observed = f"none exist, and {settings.host} accepts connections from other machines"
        return Finding(Verdict.NOTE, "keys", observed, remedy)
    active = len(api_keys.list_keys())
    if active and not requires_keys(settings):
        observed = f"{active} active, and a loss of the store's data would open the service"
        return Finding(
            Verdict.NOTE, "keys", observed, f"set INTURN_REQUIRE_KEYS=true for the endpoint, or use {commands.UP}"
        )
    if active:
        return Finding(Verdict.OK, "keys", f"{active} active; every request needs one")
    return Finding(Verdict.WRONG, "keys", "no valid key exists, so every request is refused", remedy)


def requires_keys(settings: Settings) -> bool:
    """Return whether the endpoint with these settings needs keys whatever is in the store."""
    return settings.require_keys or (not settings.redis_url and KeyRecord(settings.data_dir).requires_keys)


def check_endpoint(settings: Settings) -> Finding:
    url = f"http://{settings.address}/readyz"
    try:
        status, ready = read_readiness(settings, timeout_seconds=3)
    except OSError as error:
        remedy = f"start it ({commands.UP} or {commands.WEB}), or set PORT and INTURN_HOST to its address"
        return Finding(Verdict.WRONG, "endpoint", f"{url}: {error}", remedy)
    if status == 200:
        return Finding(Verdict.OK, "endpoint", f"{url}: {ready.get('status')}")
    remedy = "the response body and the log of the endpoint have the reason"
    reason = ready.get("refusal") or ready.get("detail") or ready.get("status") or "no JSON"
    return Finding(Verdict.WRONG, "endpoint", f"{url} returns {status}: {reason}", remedy)


def check_offline(settings: Settings) -> Iterator[Finding]:
    if settings.is_offline:
        remedy = "to use a real model, set OPENAI_API_KEY=… or OPENAI_BASE_URL=…"
        yield Finding(Verdict.NOTE, "model", "the built-in offline model answers", remedy)


def check_providers(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each provider, from its list of models, which costs nothing."""
    try:
        assistants = AssistantRegistry(settings).all_assistants().values()
    except ConfigurationError:
        return  # `check_chain_workers` reports it
    for found in ProviderCheck(assistants, settings).findings():
        remedy = found.remedy or "--ask-model also requests one token"
        yield Finding(PROVIDER_VERDICTS[found.state], "model", found.observed, remedy)


def ask_models(settings: Settings) -> Iterator[Finding]:
    """Request one token for each assistant whose provider, model or parameters differ; yield a finding per failure."""
    # In another process, because this package does not import the worker, whose packages are large.
    probe = [sys.executable, "-m", "worker.probe"]
    try:
        asked = subprocess.run(probe, capture_output=True, text=True, timeout=MODEL_TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        observed = f"not all models have answered within {MODEL_TIMEOUT_SECONDS} s"
        yield Finding(Verdict.WRONG, "model", observed, "check OPENAI_BASE_URL, the assistants and the network")
        return
    if asked.returncode == 0:
        yield Finding(Verdict.OK, "model", f"{settings.model_description} answers, and so does each other model")
        return
    for reason in asked.stdout.splitlines() or asked.stderr.splitlines()[-1:]:
        yield Finding(Verdict.WRONG, "model", reason, MODEL_REMEDIES.get(reason.partition(" ")[0], MODEL_REMEDY))


def check_packages() -> Finding:
    installed = {name: version(name) for name in MIN_PACKAGE_VERSIONS}
    outdated = [name for name, minimum in MIN_PACKAGE_VERSIONS.items() if not is_at_least(installed[name], minimum)]
    if not outdated:
        return Finding(Verdict.OK, "packages", "all versions are recent enough")
    observed = ", ".join(f"{name} {installed[name]}" for name in outdated)
    remedy = "install the versions of requirements.txt: make clean up"
    return Finding(Verdict.WRONG, "packages", f"known vulnerabilities in {observed}", remedy)


def to_mb(number: int) -> str:
    return f"{number / 1e6:,.0f} MB"


def is_at_least(found: str, minimum: str) -> bool:
    return _numbers(found) >= _numbers(minimum)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


if __name__ == "__main__":
    sys.exit(main())
