"""The client of a service that requires an API key."""

import json
from pathlib import Path

import pytest

import inturn
from inturn import Client
from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack, call
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def api_key(stack: Stack) -> str:
    api_key = stack.create_api_key("acme")
    wait_until("the service requires a key", lambda: call(f"{stack.url}/v1/turns").status == 401)
    return api_key


def test_the_key_comes_from_the_argument_or_the_environment(
    stack: Stack, api_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Client(stack.url, api_key=api_key) as client:
        assert client.turns.create("s", "hello").wait().status == "completed"
    with Client(stack.url) as client, pytest.raises(inturn.Unauthenticated):
        next(client.turns.list())
    monkeypatch.setenv("INTURN_API_KEY", api_key)
    with Client(stack.url) as client:
        assert next(client.turns.list()).session_id == "s"


def test_a_key_is_limited_to_its_scopes(stack: Stack, api_key: str) -> None:
    with Client(stack.url, api_key=stack.create_api_key("acme", "--scopes", "read")) as client:
        with pytest.raises(inturn.Forbidden):
            client.turns.create("s", "hello")
        with pytest.raises(inturn.Forbidden):
            client.status()


def test_top_shows_what_its_key_may_see(stack: Stack, api_key: str, tmp_path: Path) -> None:
    plain = json.loads(Inturn(stack.url, tmp_path, INTURN_API_KEY=api_key)("top").stdout)
    assert plain["live_workers"] == 1
    assert "findings" not in plain
    observer = stack.create_api_key("acme", "--scopes", "observer")
    assert json.loads(Inturn(stack.url, tmp_path, INTURN_API_KEY=observer)("top", "--json").stdout)["findings"]
    terminal = Inturn(stack.url, tmp_path, INTURN_API_KEY=api_key).at_terminal("top")
    terminal.wait_for("workers: 1")
    terminal.press_ctrl_c()
    assert terminal.wait_for_end() == Exit.OK


def test_the_command_names_the_variable_for_the_key(stack: Stack, api_key: str, tmp_path: Path) -> None:
    without = Inturn(stack.url, tmp_path)("turns", "ls")
    assert without.returncode == Exit.REFUSED
    assert "Set INTURN_API_KEY." in without.stderr
    invalid = Inturn(stack.url, tmp_path, INTURN_API_KEY="inturn_invalid")("turns", "ls")
    assert (invalid.returncode, "was read from INTURN_API_KEY" in invalid.stderr) == (Exit.REFUSED, True)
    ran = Inturn(stack.url, tmp_path, INTURN_API_KEY=api_key)("send", "hello")
    assert (ran.returncode, ran.stderr) == (Exit.OK, "")
    assert api_key not in "".join(path.read_text() for path in tmp_path.rglob("*.json"))
