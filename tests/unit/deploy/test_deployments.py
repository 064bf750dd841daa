"""The examples of deployments in deploy/ and the compose file follow the settings and exit codes of the service."""

import configparser
import re
from pathlib import Path

import pytest
import yaml

from supervisor.child import CONFIGURATION_EXIT_CODE
from tools import ROOT
from turns.config.settings import Settings, variables

EXAMPLES = [ROOT / "docker-compose.yml", *(ROOT / "deploy").glob("*.service"), *(ROOT / "deploy").glob("*.yaml")]


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_name_existing_settings(file: Path) -> None:
    assert set(re.findall(r"\bINTURN_[A-Z_]+", file.read_text(encoding="utf-8"))) <= set(variables().values())


def test_the_unit_restarts_a_worker_unless_its_settings_are_wrong() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(ROOT / "deploy" / "inturn-worker@.service")
    service = unit["Service"]
    assert service["Restart"] == "always"
    assert int(service["RestartPreventExitStatus"]) == CONFIGURATION_EXIT_CODE
    assert int(service["TimeoutStopSec"]) > Settings().grace_seconds


def test_the_kubelet_probes_the_heartbeat_file() -> None:
    deployment = yaml.safe_load((ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8"))
    pod = deployment["spec"]["template"]["spec"]
    [container] = pod["containers"]
    [beat_file] = [variable["value"] for variable in container["env"] if variable["name"] == "INTURN_BEAT_FILE"]
    *_, check = container["livenessProbe"]["exec"]["command"]
    assert beat_file in check
    max_seconds = int(check.rpartition("<")[2])
    assert max_seconds > Settings().stall_seconds, "the watchdog ends a stalled worker first, and logs why"
    assert container["startupProbe"]["exec"]["command"][-1] == beat_file
    assert pod["terminationGracePeriodSeconds"] > Settings().grace_seconds
