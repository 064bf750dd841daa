"""The recipe of the guide with which a backend passes a stream on to its page."""

import json
import re
from typing import Any, cast

import pytest
from flask import Flask

from inturn import Client
from tests.support.processes import Stack
from tools import ROOT


@pytest.fixture
def backend(client: Client) -> Flask:
    guide = (ROOT / "docs" / "guides" / "web_pages.md").read_text(encoding="utf-8")
    recipes = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    [recipe] = [recipe for recipe in recipes if "def pass_on" in recipe]
    names: dict[str, Any] = {"__name__": "backend"}
    exec(recipe, names)  # noqa: S102
    names["client"] = client
    return cast(Flask, names["app"])


def read(backend: Flask, turn_id: str, *, after: str = "") -> list[dict[str, Any]]:
    """Return the events as the browser gets them."""
    headers = {"Last-Event-ID": after} if after else {}
    body = backend.test_client().get(f"/chat/{turn_id}/events", headers=headers).get_data(as_text=True)
    blocks = [dict(line.split(": ", 1) for line in block.split("\n")) for block in body.strip().split("\n\n")]
    return [{**block, "data": json.loads(block["data"])} for block in blocks]


def test_a_browser_that_reconnects_gets_the_rest(backend: Flask, stack: Stack) -> None:
    turn_id = stack.submit("s", "hello [words 60] [pace 0.03]")
    events = read(backend, turn_id)
    answer = stack.turn(turn_id)["output"]["content"]
    deltas = [event for event in events if event["event"] == "delta"]
    assert "".join(event["data"] for event in deltas) == answer
    assert events[-1]["data"] == "completed"
    for seen in (1, len(deltas) // 2, len(deltas)):
        rest = read(backend, turn_id, after=deltas[seen - 1]["id"])
        text = "".join(event["data"] for event in [*deltas[:seen], *rest] if event["event"] == "delta")
        assert (text, rest[-1]["event"]) == (answer, "done"), seen
