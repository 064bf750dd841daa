"""The arguments and the requests of `inturn pauses`, `inturn pause` and `inturn resume`."""

import json
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from inturn.cli.main import cli
from inturn.cli.options import Invocation

HOLD = {
    "name": "0123abcd/gpt",
    "model": "gpt",
    "code": "provider_error",
    "since": "2026-01-01T00:00:00.000Z",
    "until": "2026-01-01T00:05:00.000Z",
    "is_reopening": False,
    "held_turns": 7,
}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause", "tenant"], "Give the name of the tenant."),
        (["resume", "model"], "Give the name of the model."),
        (["pause", "workers", "w1"], "`workers` takes no name."),
        (["pause", "queue", "x"], "'queue' is not one of"),
        (["pause", "intake", "--for", "soon"], "--for"),
    ],
)
def test_a_wrong_part_is_a_usage_error(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:1", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


class Operator:
    """Answers as a service with this hold and these pauses, and records the requests that change something."""

    def __init__(self, *paused: dict[str, Any]) -> None:
        self.paused = list(paused)
        self.holds = [HOLD, {**HOLD, "name": "other", "model": "other"}]
        self.acts: list[str] = []

    def call(self, method: str, path: str, *, query: Any = None, body: Any = None) -> Any:
        if method != "GET":
            self.acts.append(f"{method} {path}")
        if path == "holds/lift":
            self.holds = [hold for hold in self.holds if hold["name"] != query["name"]]
        return {"holds": self.holds} if path == "status" else {"data": self.paused}


def run(monkeypatch: pytest.MonkeyPatch, operator: Operator, *arguments: str) -> list[str]:
    client = nullcontext(SimpleNamespace(operator=operator))
    monkeypatch.setattr(Invocation, "client", lambda _: client)
    result = CliRunner().invoke(cli, arguments, catch_exceptions=False)
    return result.stdout.splitlines()


def test_holds_are_listed_with_the_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    hold, _ = run(monkeypatch, Operator(), "pauses")
    cells = hold.split("\t")
    assert cells[:2] + cells[3:] == ["hold", "gpt", "7", "2026-01-01 00:05 UTC", "-", "provider_error"]
    assert json.loads(run(monkeypatch, Operator(), "pauses", "--json")[0]) == {"object": "hold", **HOLD}


def test_a_model_that_no_operator_paused_leaves_its_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    operator = Operator()
    [left] = run(monkeypatch, operator, "resume", "model", "gpt")
    assert left.startswith("hold\tother\t")
    assert operator.acts == ["POST holds/lift", "DELETE pauses/model/gpt"]


@pytest.mark.parametrize(("kind", "name"), [("model", "gpt"), ("tenant", "acme")])
def test_the_end_of_a_pause_lifts_no_hold(monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    pause = {"kind": kind, "name": name, "since": HOLD["since"], "until": None, "is_over": False}
    operator = Operator({**pause, "waiting_turns": 0, "by": "", "reason": ""})
    run(monkeypatch, operator, "resume", kind, name)
    assert operator.acts == [f"DELETE pauses/{kind}/{name}"]
