"""Check the models and their providers."""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from supervisor.doctor.finding import Finding, Verdict
from supervisor.provider_check import ProviderCheck, State
from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError
from turns.processes.record import ProcessRecord

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
PROVIDER_VERDICTS = MappingProxyType(
    {State.HAS_MODELS: Verdict.OK, State.UNKNOWN: Verdict.NOTE, State.UNUSABLE: Verdict.WRONG}
)


def check_running_models(processes: Sequence[ProcessRecord], settings: Settings, *, now_ms: int) -> Iterator[Finding]:
    """Yield a finding if workers use another model than these settings name, or the offline one."""
    running = {process.model for process in processes if process.model and process.is_recent(now_ms)}
    if others := sorted(running - {settings.model_description}):
        observed = f"running workers use {', '.join(others)}; the settings of this shell {settings.model_description}"
        yield Finding(
            Verdict.NOTE, "model", observed, "to check theirs, run this with the same variables as the workers"
        )
    elif settings.is_offline:
        remedy = "to use a real model, set OPENAI_API_KEY=… or OPENAI_BASE_URL=…"
        yield Finding(Verdict.NOTE, "model", "the built-in offline model answers", remedy)


def check_providers(settings: Settings) -> Iterator[Finding]:
    """Yield a finding for each provider, from its list of models, which costs nothing."""
    try:
        assistants = AssistantRegistry(settings).all_assistants().values()
    except ConfigurationError:
        return  # `check_assistants` reports it
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
