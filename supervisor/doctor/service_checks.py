"""Check what runs: the workers, the endpoint, the API keys, and what the operator page says."""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from supervisor.doctor.finding import Finding, Verdict
from supervisor.readiness import read_readiness
from turns.access.api_keys import ApiKeyStore
from turns.access.key_record import KeyRecord
from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client
from turns.config import commands
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import AssistantNotFound, ConfigurationError
from turns.domain.worker_kind import WorkerKind
from turns.jobs.failed_turns import FailedTurns
from turns.operations.finding import Finding as ServiceFinding
from turns.operations.finding import Level
from turns.store.health import Health
from turns.store.turns import TurnStore

# Findings of the operator page for which this module has its own checks.
REPORTED = frozenset({"store_refuses", "store_unsafe", "store_full", "store_nearly_full", "no_worker"})
SERVICE_VERDICTS = MappingProxyType({Level.GOOD: Verdict.OK, Level.WARN: Verdict.NOTE, Level.BAD: Verdict.WRONG})


def check_workers(health: Health) -> Finding:
    alive = health.live_workers - health.live_chain_workers
    observed = f"{alive} alive, {health.live_turns} live turns"
    if alive:
        return Finding(Verdict.OK, "workers", observed)
    return Finding(Verdict.WRONG, "workers", observed, f"start one: {commands.WORKER}")


def check_assistants(settings: Settings) -> Iterator[Finding]:
    """Yield a finding if the file of the assistants cannot be read."""
    try:
        AssistantRegistry(settings)
    except ConfigurationError as error:
        remedy = "correct the file; all its errors are listed, and no process starts with it"
        yield Finding(Verdict.WRONG, "assistants", str(error), remedy)


def check_chain_workers(health: Health, settings: Settings) -> Iterator[Finding]:
    """Yield a finding if an assistant has a custom chain."""
    try:
        needed_by = AssistantRegistry(settings).need_worker(WorkerKind.CHAINS)
    except ConfigurationError:
        return  # `check_assistants` reports it
    observed = f"{health.live_chain_workers} alive, needed by {', '.join(needed_by)}"
    if health.live_chain_workers and needed_by:
        yield Finding(Verdict.OK, "chain workers", observed)
    elif needed_by:
        yield Finding(Verdict.WRONG, "chain workers", observed, f"start one: {commands.CHAIN_WORKER}")


def check_failed(by_code: Mapping[Code | str, int]) -> Finding:
    if not by_code:
        return Finding(Verdict.OK, "failed turns", "none is unresolved")
    codes = ", ".join(f"{code} {number:,}" for code, number in by_code.items())
    remedy = "retry or discard them under Failed on /operator, which has advice for each code"
    return Finding(Verdict.NOTE, "failed turns", f"{sum(by_code.values()):,} unresolved: {codes}", remedy)


def count_failed(client: Client, settings: Settings) -> Mapping[Code | str, int]:
    """Return the number of unresolved failed turns by code, highest first. Raises `StoreUnavailable`."""
    return FailedTurns(client, TurnStore(client, settings), _find_no_assistant).count_failed()


def _find_no_assistant(_: str) -> Assistant:
    raise AssistantNotFound  # counting retries no turn


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


def check_service(findings: Sequence[ServiceFinding]) -> Iterator[Finding]:
    """Yield what the operator page shows, except for what the checks above have reported."""
    others = [finding for finding in findings if finding.code not in REPORTED]
    for found in others:
        verdict = SERVICE_VERDICTS[found.level]
        yield Finding(verdict, "service", f"{found.headline} {found.detail}", found.todo)
    if not others:
        yield Finding(Verdict.NOTE, "service", "see the problems above")
