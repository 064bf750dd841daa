"""Assistants as values of the client."""

from collections.abc import Callable

from inturn import Client, Variable
from tests.support.processes import Stack
from tools import ROOT


def test_all_fields_of_an_assistant_are_typed(start: Callable[..., Stack]) -> None:
    stack = start(workers=0, INTURN_ASSISTANTS=str(ROOT / "examples/assistants.toml"))
    with Client(stack.url) as client:
        assistants = {assistant.name: assistant for assistant in client.assistants.list()}
    support, summary = assistants["support"], assistants["summary"]
    assert (support.description, support.model, support.lane) == (
        "Answers customers of the shop",
        "gpt-4o",
        "interactive",
    )
    assert support.variables == {
        "shop": Variable(required=False, default="the shop", description="", max_length=60),
    }
    assert summary.lane == "batch"
    assert assistants["example"].variables["ability"] == Variable(
        required=True, default=None, description="Subject, such as math", max_length=100
    )
