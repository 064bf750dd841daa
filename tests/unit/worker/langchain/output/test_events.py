"""Test what callers see of the inside of a custom chain."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant
from turns.domain.events import MAX_EVENT_BYTES, EventType
from worker.langchain.chain_call import CustomChain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.output.events import data_event, find_reasoning


@tool
def clock(zone: str) -> str:
    """Return the time."""
    if zone == "moon":
        raise ValueError("no zone")
    return f"noon in {zone}"


def outputs_of(chain: Runnable[Any, Any], loop: ChainLoop | None = None, **assistant: Any) -> list[Any]:
    """Return the texts and the events of a run in the order in which the worker receives them."""
    claim = make_claim(assistant=Assistant(name="a", chain="x:y", **assistant))
    run = CustomChainRun(lambda: CustomChain(chain), claim, loop=loop)
    received: list[Any] = []
    run.on_event = lambda event: received.append(
        event.text if event.type is EventType.REASONING else json.loads(event.text)
    )
    for text in run.deltas():
        if text:
            received.append(text)
    return received


@pytest.fixture(params=["loop", "thread"])
def loop(request: pytest.FixtureRequest) -> ChainLoop | None:
    return ChainLoop(max_threads=2) if request.param == "thread" else None


def call_tools(_: object) -> Iterator[str]:
    yield "Let me see. "
    clock.invoke({"name": "clock", "args": {"zone": "Rome"}, "id": "c1", "type": "tool_call"})
    yield "Done."


def test_tools_are_events_at_their_places(loop: ChainLoop | None) -> None:
    call = {"call_id": "c1", "name": "clock"}
    assert outputs_of(RunnableLambda(call_tools), loop) == [
        "Let me see. ",
        {**call, "state": "started"},
        {**call, "state": "finished"},
        "Done.",
    ]


def test_details_of_tools_are_shown_only_if_asked_for() -> None:
    _, started, finished, _ = outputs_of(RunnableLambda(call_tools), tool_details=True)
    assert json.loads(started["arguments"]) == {"zone": "Rome"}
    assert finished["result"] == "noon in Rome"


def test_a_tool_that_raises_has_failed() -> None:
    def try_tool(_: object) -> str:
        try:
            clock.invoke({"zone": "moon"})
        except ValueError:
            return "Sorry."
        return "noon"

    started, failed, text = outputs_of(RunnableLambda(try_tool), tool_details=True)
    assert (failed["state"], failed["result"], text) == ("failed", "no zone", "Sorry.")
    assert started["call_id"] == failed["call_id"], "without an id of the model it has that of its run"


def test_long_details_are_cut() -> None:
    @tool
    def read(text: str) -> str:
        """Return the text twice."""
        return text * 2

    def call(values: Any) -> str:
        read.invoke({"text": "\udc00" + "x" * 10_000})
        return "Read."

    _, finished, _ = outputs_of(RunnableLambda(call), tool_details=True)
    assert len(finished["result"]) == 4096
    assert finished["result"].startswith("?x")


def test_a_chain_sends_data_of_its_own(loop: ChainLoop | None) -> None:
    def answer(_: object) -> Iterator[str]:
        yield "a"
        dispatch_custom_event("progress", {"percent": 50})
        yield "b"

    assert outputs_of(RunnableLambda(answer), loop) == ["a", {"name": "progress", "data": {"percent": 50}}, "b"]


@pytest.mark.parametrize("value", [object(), "x" * MAX_EVENT_BYTES, "\ud800"])
def test_data_that_cannot_be_sent_raises_in_the_chain(value: object, loop: ChainLoop | None) -> None:
    def answer(_: object) -> str:
        with pytest.raises((TypeError, ValueError), match="an event of the chain"):
            dispatch_custom_event("progress", value)
        return "caught"

    assert outputs_of(RunnableLambda(answer), loop) == ["caught"]


class Reasoner(FakeListChatModel):
    """A model that sends its reasoning in content blocks."""

    def _stream(self, *_: Any, run_manager: Any = None, **__: Any) -> Iterator[ChatGenerationChunk]:
        for content in ([{"type": "reasoning", "reasoning": "Hm."}], "Noon."):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=content))
            if run_manager:
                run_manager.on_llm_new_token(str(content), chunk=chunk)
            yield chunk


@pytest.mark.parametrize(("shows", "expected"), [(True, ["Hm.", "Noon."]), (False, ["Noon."])])
def test_reasoning_is_shown_only_if_asked_for(shows: bool, expected: list[str], loop: ChainLoop | None) -> None:
    chain = RunnableLambda(lambda values: values["input"]) | Reasoner(responses=[])
    assert outputs_of(chain, loop, reasoning=shows) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (AIMessage("plain"), []),
        (AIMessage("x", additional_kwargs={"reasoning_content": "as DeepSeek"}), ["as DeepSeek"]),
        (AIMessage([{"type": "reasoning", "reasoning": "as \ud800"}, {"type": "text", "text": "x"}]), ["as ?"]),
        (AIMessage([{"type": "reasoning"}]), []),
    ],
)
def test_reasoning_is_found_in_each_form(message: BaseMessage, expected: list[str]) -> None:
    assert list(find_reasoning(message)) == expected


def test_infinite_numbers_are_null_in_data() -> None:
    assert json.loads(data_event(float("inf")).text) == {"name": None, "data": None}
