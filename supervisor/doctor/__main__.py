"""Run all checks and print their findings."""

import argparse
import sys
import time
from collections.abc import Iterator

import supervisor.doctor
from supervisor.doctor.cluster_checks import CHECK_CLUSTER, check_cluster
from supervisor.doctor.file_checks import check_files
from supervisor.doctor.finding import Finding, Verdict
from supervisor.doctor.model_checks import ask_models, check_providers, check_running_models
from supervisor.doctor.package_checks import check_packages
from supervisor.doctor.service_checks import (
    check_assistants,
    check_chain_workers,
    check_endpoint,
    check_failed,
    check_keys,
    check_service,
    check_workers,
    count_failed,
)
from supervisor.doctor.store_checks import (
    check_clock,
    check_durability,
    check_eviction,
    check_installation,
    check_memory,
    check_server_version,
    check_writes,
)
from turns.access.api_keys import ApiKeyStore
from turns.backend.client import Client
from turns.backend.opening import check_store_or_exit, connect
from turns.config import commands
from turns.config.environment import settings_or_exit
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import StoreUnavailable
from turns.operations.facts import read_facts
from turns.operations.verdict import evaluate
from turns.processes.listing import read_processes
from turns.store.health import read_health, read_store_server


def main() -> int:
    parser = argparse.ArgumentParser(prog=commands.DOCTOR, description=supervisor.doctor.__doc__.partition("\n")[0])
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
        remedy = f"start it ({commands.UP}), or use a running one: REDIS_URL=…"
        yield Finding(Verdict.WRONG, "store", str(error), CHECK_CLUSTER if settings.partitions else remedy)
    yield from check_assistants(settings)
    yield check_endpoint(settings)
    yield from ask_models(settings) if ask_model else check_providers(settings)
    yield check_packages()


def check_store(client: Client, settings: Settings) -> Iterator[Finding]:
    """Yield the findings that need the store. Raises `StoreUnavailable`."""
    server, health = read_store_server(client), read_health(client, settings)
    yield check_server_version(server, settings)
    yield from check_installation(client, settings)
    yield from check_cluster(client)
    yield check_clock(server)
    yield check_durability(health)
    yield check_eviction(health)
    yield check_memory(health)
    yield check_writes(health)
    yield check_workers(health)
    processes, now_ms = read_processes(client), store_time_ms(server.skew_seconds)
    yield from check_files(processes, settings, now_ms=now_ms)
    yield from check_chain_workers(health, settings)
    yield check_keys(ApiKeyStore(client), settings)
    failed = count_failed(client, settings)
    yield check_failed(failed)
    facts = read_facts(client, settings, lost_turns=failed.get(Code.WORKER_LOST, 0))
    yield from check_service(evaluate(facts))
    yield from check_running_models(processes, settings, now_ms=now_ms)


def store_time_ms(skew_seconds: float) -> int:
    return round((time.time() + skew_seconds) * 1000)


if __name__ == "__main__":
    sys.exit(main())
