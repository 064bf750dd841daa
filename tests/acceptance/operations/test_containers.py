"""The container files are valid and their commands work; needs no container engine."""

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from inturn.testing.ports import free_port
from tests.support.processes import Process, call
from tests.support.server import Server
from tests.support.waiting import wait_until
from tools import ROOT
from tools.docs import READ_BY_MAKE_UP
from turns.config.network import OPENAI_PROXY, PROXIES
from turns.config.settings import variables
from turns.config.version import VERSION

COMPOSE = ROOT / "docker-compose.yml"
TLS = ROOT / "deploy" / "docker-compose.tls.yml"
OURS = ("web", "worker", "chain-worker")


def services() -> dict[str, dict[str, Any]]:
    loaded: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))["services"]
    return loaded


def test_the_compose_files_are_valid() -> None:
    checker = [
        sys.executable,
        "-m",
        "check_jsonschema",
        "--builtin-schema",
        "vendor.compose-spec",
        *map(str, [COMPOSE, TLS]),
    ]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_compose_file_passes_every_setting() -> None:
    not_in_containers = {*READ_BY_MAKE_UP, "PORT"}  # PORT is the port of the host
    provider = {*PROXIES, *map(str.lower, PROXIES), "NO_PROXY", "no_proxy", OPENAI_PROXY}
    named = {name for service in OURS for name in services()[service]["environment"]}
    assert named == {*variables().values(), *provider} - not_in_containers
    for service in OURS:
        assert named - set(services()[service]["environment"]) <= {
            "INTURN_HOST",
            "INTURN_ALLOW_OPEN_ACCESS",
            "INTURN_BEAT_FILE",
        }


def test_our_containers_have_few_rights() -> None:
    for service in OURS:
        options = services()[service]
        assert options["read_only"] is True
        assert options["cap_drop"] == ["ALL"]
    users = [line.split()[1] for line in dockerfile() if line.startswith("USER")]
    assert users
    assert all(int(part) > 0 for part in users[-1].split(":"))
    assert services()["web"]["ports"][0].startswith("127.0.0.1:")


def test_the_image_holds_the_packages_of_the_service() -> None:
    copies = [line.split()[1:-1] for line in dockerfile() if line.startswith("COPY") and "--from" not in line]
    copied = {path for paths in copies for path in paths}
    assert copied == {"requirements.txt", "tools/requirements/otel.txt", "turns", "web", "worker"}
    assert all((ROOT / path).exists() for path in copied)


@pytest.mark.parametrize(("version", "code"), [("", 0), (VERSION, 0), ("9.9", 1)])
def test_the_image_is_built_only_with_its_own_version(version: str, code: int) -> None:
    [check] = [line for line in dockerfile() if line.lstrip().startswith("python -c")]
    arguments = shlex.split(check.replace("$VERSION", version))[1:]
    assert subprocess.run([sys.executable, *arguments], cwd=ROOT, check=False).returncode == code


def test_the_commands_of_the_containers_answer_a_turn(tmp_path: Path) -> None:
    """Uses a TCP store as in compose, and a directory with the packages of the image only."""
    image = tmp_path / "app"
    image.mkdir()
    for package in ("turns", "web", "worker"):
        (image / package).symlink_to(ROOT / package)
    store_options = shlex.split(services()["store"]["command"])[1:]
    port, store_port = free_port(), free_port()
    server = Server(tmp_path, options=[*store_options, "--port", str(store_port), "--bind", "127.0.0.1"])
    server.start()
    environment = {"REDIS_URL": f"redis://127.0.0.1:{store_port}/0", "PORT": str(port), "INTURN_LOG_FORMAT": "json"}
    log = tmp_path / "log"
    beats = {service: str(tmp_path / f"beat-{service}") for service in OURS}
    commands = {service: shlex.split(services()[service]["command"]) for service in OURS}
    assert {tuple(command[:2]) for command in commands.values()} == {("python", "-m")}
    processes = [
        Process(*command[2:], log=log, environment={**environment, "INTURN_BEAT_FILE": beats[service]}, directory=image)
        for service, command in commands.items()
    ]
    try:
        url = f"http://127.0.0.1:{port}"
        wait_until("it is ready", lambda: ready(url), seconds=60)
        beat_file = services()["worker"]["environment"]["INTURN_BEAT_FILE"]
        for service, beat in beats.items():
            check = services()[service]["healthcheck"]["test"][-1]
            check = check.replace("8000", str(port)).replace(beat_file, beat)
            assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0, service
        body = {"session_id": "s", "input": "hello"}
        turn = call(f"{url}/v1/turns", method="POST", body=body).body
        assert call(f"{url}/v1/turns/{turn['id']}?wait=20").body["status"] == "completed"
    finally:
        for process in processes:
            process.kill()
        server.stop()
        server.raw.close()


def dockerfile() -> list[str]:
    return (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8").splitlines()


def ready(url: str) -> bool:
    try:
        return bool(call(f"{url}/readyz", seconds=2).body["live_workers"] == 2)
    except OSError:
        return False
