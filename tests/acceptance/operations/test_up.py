"""`make up`, as a developer uses it on a fresh machine."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from inturn.testing.ports import free_port
from tests.support.processes import call
from tests.support.waiting import wait_until
from tools import ROOT
from turns.backend.opening import connect

UNREACHABLE_PROXIES = {"HTTP_PROXY": "http://127.0.0.1:1", "all_proxy": "socks5://127.0.0.1:1"}


class Up:
    """One `make up` with a private data directory."""

    def __init__(self, directory: Path, *, port: int, workers: int = 1, log: str = "up.log") -> None:
        self.directory = directory
        self.url = f"http://127.0.0.1:{port}"
        self._log = directory / log
        with self._log.open("w") as output:
            self.process = subprocess.Popen(
                ["make", "up", f"PORT={port}", f"WORKERS={workers}"],
                cwd=ROOT,
                env={**os.environ, **UNREACHABLE_PROXIES, "INTURN_DATA_DIR": str(directory / "data")},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def output(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_until_ready(self) -> None:
        wait_until(
            "it is ready", lambda: "InTurn is ready" in self.output() or self.process.poll() is not None, seconds=90
        )
        assert "InTurn is ready" in self.output(), self.output()

    def press_ctrl_c(self) -> None:
        """Send SIGINT to the whole process group, as a terminal does."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGINT)
        self.process.wait(60)

    def descendants(self, name: str = "") -> set[int]:
        """Return the ids of all processes below it whose command line contains `name`."""
        found, parents = set(), {self.process.pid}
        while parents:
            parents = {child for parent in parents for child in children(parent)}
            found |= parents
        return {pid for pid in found if name in command_line(pid)}


def children(pid: int) -> set[int]:
    try:
        return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    except FileNotFoundError:
        return set()


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except FileNotFoundError:
        return ""


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run one `make up` for all tests; it restarts the processes that they kill."""
    directory = tmp_path_factory.mktemp("up") / "a b#c?d%20;e"
    directory.mkdir()
    yield from running(directory)


@pytest.fixture
def private_up(tmp_path: Path) -> Iterator[Up]:
    yield from running(tmp_path)


def running(directory: Path) -> Iterator[Up]:
    up = Up(directory, port=free_port())
    try:
        up.wait_until_ready()
        yield up
    finally:
        up.press_ctrl_c()


def test_the_printed_commands_work_when_pasted(up: Up) -> None:
    commands = re.search(r"(  id=.*ensure-ascii)", up.output(), re.DOTALL)
    assert commands
    pasted = subprocess.run(["sh", "-c", commands[1]], capture_output=True, text=True, timeout=60, check=True)
    assert '"status": "completed"' in pasted.stdout
    assert "offline model" in up.output()
    assert str(up.directory / "data") in up.output()


def test_the_store_is_private(up: Up) -> None:
    data = up.directory / "data"
    assert data.stat().st_mode & 0o777 == 0o700
    with connect(f"unix://{quote(str(data))}/store.sock", timeout_seconds=5, retries=0, max_connections=1) as client:
        config = {**client.config_get("port"), **client.config_get("append*"), **client.config_get("maxmemory-policy")}
    assert config["port"] == "0"
    assert (config["appendonly"], config["appendfsync"]) == ("yes", "always")
    assert config["maxmemory-policy"] == "noeviction"
    assert call(f"{up.url}/readyz").body["durability"] == "always"


@pytest.mark.parametrize("name", ["-m worker", "-m web", "valkey-server"])
def test_a_killed_process_is_restarted(up: Up, name: str) -> None:
    before = up.descendants(name)
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_until(f"{name} runs again", lambda: up.descendants(name) - before)
    answered = wait_for_answer(up, "again")
    assert answered["status"] == "completed"


def test_ctrl_c_stops_every_process_and_keeps_the_data(private_up: Up) -> None:
    up = private_up
    wait_for_answer(up, "kept")
    started = up.descendants()
    assert len(started) >= 5, "supervisor, store, endpoint with its process, worker"
    up.press_ctrl_c()
    assert {pid for pid in started if command_line(pid)} == set()
    assert "Traceback" not in up.output()

    again = Up(up.directory, port=free_port())
    again.wait_until_ready()
    kept = call(f"{again.url}/v1/sessions/kept/messages").body["data"]
    again.press_ctrl_c()
    assert [message["content"] for message in kept][:1] == ["hello"]


def test_an_emptied_store_does_not_open_the_service(private_up: Up, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second start also has a provider that does not answer, which does not prevent it."""
    up = private_up
    command = [sys.executable, "-m", "turns", "keys", "create", "acme"]
    environment = {**os.environ, "INTURN_DATA_DIR": str(up.directory / "data")}
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True)
    up.press_ctrl_c()
    shutil.rmtree(up.directory / "data" / "appendonlydir")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://user:canary@127.0.0.1:9/v1")
    monkeypatch.setenv("no_proxy", "*")

    again = Up(up.directory, port=free_port())
    again.wait_until_ready()
    status = call(f"{again.url}/v1/turns").status
    again.press_ctrl_c()
    assert status == 401
    assert "is another one than at the last start, or was emptied" in again.output()
    assert "every request is refused" in again.output()
    assert 'id=$(curl -s -H "Authorization: Bearer $INTURN_API_KEY" http' in again.output()
    assert "http://127.0.0.1:9/v1 does not answer (Connection refused)" in again.output()
    assert "canary" not in again.output()


def test_killing_the_supervisor_ends_its_processes(private_up: Up) -> None:
    up = private_up
    started = up.descendants("python") | up.descendants("valkey")
    [supervisor] = up.descendants("-m supervisor")
    os.kill(supervisor, signal.SIGKILL)
    wait_until("all have ended", lambda: not any(command_line(pid) for pid in started))


def test_a_second_one_on_the_same_data_is_refused(up: Up) -> None:
    second = Up(up.directory, port=free_port(), log="second.log")
    assert second.process.wait(60) != 0
    assert "already runs on" in second.output()


def test_for_a_port_in_use_another_one_is_suggested(up: Up, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    port = int(up.url.rpartition(":")[2])
    second = Up(other, port=port)
    assert second.process.wait(60) != 0
    assert f"make up PORT={port + 1}" in second.output()


@pytest.mark.parametrize("command", ["supervisor", "web", "worker", "supervisor.doctor", "turns keys list"])
def test_wrong_settings_stop_each_process_with_a_hint(command: str) -> None:
    environment = {**os.environ, "INTURN_LEASE_SECOND": "9", "OPENAI_API_KEY": "sk-canary\nX: y"}
    started = subprocess.run(
        [".venv/bin/python", "-m", *command.split()],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert started.returncode == 2
    assert "did you mean INTURN_LEASE_SECONDS?" in started.stderr
    assert "\nOPENAI_API_KEY: must " in started.stderr
    assert "canary" not in started.stderr
    assert "Traceback" not in started.stderr


def wait_for_answer(up: Up, session_id: str) -> dict[str, object]:
    body = {"session_id": session_id, "input": "hello"}
    accepted: list[str] = []

    def submitted() -> bool:
        try:
            answer = call(f"{up.url}/v1/turns", method="POST", body=body)
        except OSError:
            return False
        accepted.append(answer.body.get("id"))
        return answer.status == 202

    wait_until("a turn is accepted", submitted, seconds=60)
    path = f"{up.url}/v1/turns/{accepted[-1]}?wait=10"
    wait_until("it has ended", lambda: call(path).body["finished_at"], seconds=60)
    ended: dict[str, object] = call(path).body
    return ended


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[assistants.a]\ntemperature = 9\n", "assistants.toml: assistants.a.temperature: must be less than"),
        ('[assistants.a]\nchain = "nowhere:build"\n', "assistants.a.chain: there is no module 'nowhere'"),
    ],
)
def test_an_invalid_assistants_file_stops_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str
) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(text)
    monkeypatch.setenv("INTURN_ASSISTANTS", str(file))
    up = Up(tmp_path, port=free_port())
    assert up.process.wait(60) != 0
    assert message in up.output()
    assert "InTurn cannot start." in up.output()
