"""The examples of deployments in deploy/ and the compose file follow the settings and exit codes of the service."""

import configparser
import json
import re
import shlex
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from supervisor.child import CONFIGURATION_EXIT_CODE
from tools import ROOT
from turns.config.settings import Settings, variables
from turns.config.version import VERSION
from web.routes.sessions import MAX_IMPORT_BYTES
from web.routes.turns import MAX_BATCH_BYTES
from web.schemas.queries import MAX_WAIT_SECONDS
from web.server import gunicorn_server
from web.streaming.connections import KEEP_ALIVE_SECONDS

DEPLOY = ROOT / "deploy"
COMPOSE_FILES = [ROOT / "docker-compose.yml", DEPLOY / "docker-compose.tls.yml"]
EXAMPLES = [*COMPOSE_FILES, *DEPLOY.glob("*.service"), *DEPLOY.glob("*.yaml")]
PROCESSES = {  # by the name that they have in each kind of deployment
    "web": ("web", "inturn-web.service"),
    "worker": ("worker", "inturn-worker@.service"),
    "chain-worker": ("chain-worker", "inturn-chain-worker@.service"),
}
WORKERS = ("worker", "chain-worker")


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_name_existing_settings(file: Path) -> None:
    assert set(re.findall(r"\bINTURN_[A-Z_]+", file.read_text(encoding="utf-8"))) <= set(variables().values())


@pytest.mark.parametrize("process", PROCESSES)
def test_all_deployments_start_the_same_commands(process: str) -> None:
    """tests/acceptance/operations/test_containers.py runs those of the compose file."""
    service, unit = PROCESSES[process]
    command = shlex.split(read_yaml(ROOT / "docker-compose.yml")["services"][service]["command"])
    assert container(process)["command"] == command
    assert shlex.split(read_unit(unit)["ExecStart"])[1:] == command[1:]


@pytest.mark.parametrize("process", PROCESSES)
def test_units_restart_unless_the_settings_are_wrong(process: str) -> None:
    service = read_unit(PROCESSES[process][1])
    assert service["Restart"] == "always"
    assert int(service["RestartPreventExitStatus"]) == CONFIGURATION_EXIT_CODE
    grace = Settings().grace_seconds if process in WORKERS else gunicorn_server.GRACE_SECONDS
    assert int(service["TimeoutStopSec"]) > grace


def test_the_manifests_have_the_fields_of_kubernetes() -> None:
    schema = json.loads(Path(__file__).with_name("kubernetes.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    for manifest in manifests():
        assert [error.message for error in validator.iter_errors(manifest)] == []
    assert list(validator.iter_errors({**manifests()[0], "sepc": {}})), "the schema is strict"


def test_services_and_budgets_select_the_pods_of_a_deployment() -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods().items()}
    selectors = {name: manifest["spec"]["selector"]["matchLabels"] for name, manifest in of_kind("Deployment").items()}
    budgets = of_kind("PodDisruptionBudget")
    assert selectors == labels
    assert {name: budget["spec"]["selector"]["matchLabels"] for name, budget in budgets.items()} == labels
    assert all(budget["spec"]["maxUnavailable"] == 1 for budget in budgets.values())
    [service] = of_kind("Service").values()
    assert service["spec"]["selector"] == labels["inturn-web"]
    [port] = service["spec"]["ports"]
    assert port["targetPort"] in [each["name"] for each in container("web")["ports"]]


@pytest.mark.parametrize("process", WORKERS)
def test_the_kubelet_probes_the_heartbeat_file(process: str) -> None:
    probed = container(process)
    [beat_file] = [variable["value"] for variable in probed["env"] if variable["name"] == "INTURN_BEAT_FILE"]
    *_, check = probed["livenessProbe"]["exec"]["command"]
    assert beat_file in check
    max_seconds = int(check.rpartition("<")[2])
    assert max_seconds > Settings().stall_seconds, "the watchdog ends a stalled worker first, and logs why"
    assert probed["startupProbe"]["exec"]["command"][-1] == beat_file
    pod = pods()[f"inturn-{process}"]["spec"]
    assert pod["terminationGracePeriodSeconds"] > Settings().grace_seconds


def test_the_manifests_name_the_image_of_this_version() -> None:
    assert {container(process)["image"] for process in PROCESSES} == {f"inturn:{VERSION}"}


def test_scalers_name_existing_deployments() -> None:
    for scaler in yaml.safe_load_all((DEPLOY / "keda.yaml").read_text(encoding="utf-8")):
        assert scaler["spec"]["scaleTargetRef"]["name"] in of_kind("Deployment")


def test_the_proxy_allows_what_the_endpoint_allows() -> None:
    """`make deployments` runs nginx with this file."""
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    assert float(directive(site, "proxy_read_timeout", "s")) > max(KEEP_ALIVE_SECONDS, MAX_WAIT_SECONDS)
    assert float(directive(site, "keepalive_timeout", "s")) < gunicorn_server.KEEP_ALIVE_SECONDS
    assert int(directive(site, "client_max_body_size", "m")) * 1024 * 1024 > max(MAX_IMPORT_BYTES, MAX_BATCH_BYTES)


def test_a_deployment_with_tls_requires_keys() -> None:
    override = read_yaml(DEPLOY / "docker-compose.tls.yml")["services"]["web"]
    assert override["environment"] == {"INTURN_ALLOW_OPEN_ACCESS": "false", "INTURN_REQUIRE_KEYS": "true"}
    assert override["networks"]["default"]["aliases"] == ["inturn-web"]
    assert "server inturn-web:8000;" in (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def read_yaml(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded


def read_unit(name: str) -> configparser.SectionProxy:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(DEPLOY / name)
    return unit["Service"]


def manifests() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text(encoding="utf-8")))


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {manifest["metadata"]["name"]: manifest for manifest in manifests() if manifest["kind"] == kind}


def pods() -> dict[str, dict[str, Any]]:
    return {name: manifest["spec"]["template"] for name, manifest in of_kind("Deployment").items()}


def container(process: str) -> dict[str, Any]:
    [found] = pods()[f"inturn-{process}"]["spec"]["containers"]
    return dict(found)


def directive(site: str, name: str, unit: str) -> str:
    [value] = re.findall(rf"^\s*{name} (\d+){unit};", site, re.MULTILINE)
    return str(value)
