"""Test that a history is legal for a provider whatever other programs have stored."""

from collections.abc import Sequence
from itertools import product
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)

from worker.langchain.legal_history import Reason, is_valid_exchange, make_legal


def calling(*ids: str | None, text: str = "", message: type[AIMessage] = AIMessage) -> AIMessage:
    return message(text, tool_calls=[{"name": "look", "args": {}, "id": i, "type": "tool_call"} for i in ids])


def result(call: str) -> ToolMessage:
    return ToolMessage("42", tool_call_id=call)


QUESTION, ANSWER = HumanMessage("q"), AIMessage("a")
FORMER_CALL = AIMessage("", additional_kwargs={"function_call": {"name": "look", "arguments": "{}"}})
FORMER_RESULT = FunctionMessage(name="look", content="42")
BROKEN_CALL = AIMessage("", invalid_tool_calls=[{"name": "look", "args": "{", "id": "c1", "error": "x"}])
IMAGE: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


def rejected(messages: Sequence[BaseMessage]) -> str | None:
    """Return why a provider rejects these messages, by the rules that OpenAI's error messages state."""
    missing: set[str | None] = set()
    expected: type[BaseMessage] = HumanMessage
    for message in messages:
        if not isinstance(message, ToolMessage if missing else expected):
            return "a question, or the result of a call, must be here"
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in missing:
                return "a result does not follow its call"
            missing.remove(message.tool_call_id)
        elif isinstance(message, AIMessage):
            missing = {call["id"] for call in message.tool_calls}
            if len(missing) < len(message.tool_calls) or not (message.content or missing):
                return "an answer is empty, or two of its calls have the same id"
        elif not isinstance(message, HumanMessage):
            return "the type is not known"
        expected = BaseMessage
    return "the last call has no result" if missing else None


PARTS: tuple[BaseMessage, ...] = (
    QUESTION,
    ANSWER,
    AIMessage(""),
    RemoveMessage(id="1"),
    calling("c1"),
    calling("c1", "c2", text="let me see"),
    calling("c1", "c1"),
    result("c1"),
    result("c2"),
)


def test_every_history_becomes_legal_and_legal_ones_stay() -> None:
    """All histories of up to five messages of these nine kinds."""
    for length in range(6):
        for history in product(PARTS, repeat=length):
            legal, skipped = make_legal(history)
            assert rejected(legal) is None, history
            again, skipped_again = make_legal(legal)
            assert [*map(id, again)] == [*map(id, legal)], history
            assert not skipped_again
            if rejected(history) is None:
                assert [*map(id, legal)] == [*map(id, history)]
                assert not skipped


LEGAL = {
    "nothing": [],
    "a tool call with its result": [QUESTION, calling("c1"), result("c1"), ANSWER],
    "results in another order": [QUESTION, calling("c1", "c2"), result("c2"), result("c1"), ANSWER],
    "the same id in a later call": [QUESTION, calling("c1"), result("c1"), calling("c1"), result("c1"), ANSWER],
    "a result behind the calls of a chunk": [QUESTION, calling("c1", message=AIMessageChunk), result("c1"), ANSWER],
    "a result of a call that cannot be parsed": [QUESTION, BROKEN_CALL, result("c1"), ANSWER],
    "a function call of the former kind": [QUESTION, FORMER_CALL, FORMER_RESULT, ANSWER],
    "an image": [HumanMessage([{"type": "text", "text": "what is it"}, IMAGE]), ANSWER],
    "names": [HumanMessage("q", name="Zoë"), AIMessage("a", name="bot-1")],
    "a system message inside": [QUESTION, ANSWER, SystemMessage("be kind"), QUESTION],
    "a role of its own class": [QUESTION, ChatMessage(role="assistant", content="a")],
    "two questions": [QUESTION, QUESTION],
    "no text in a result": [QUESTION, calling("c1"), ToolMessage("", tool_call_id="c1"), ANSWER],
}


@pytest.mark.parametrize("history", LEGAL.values(), ids=LEGAL)
def test_a_legal_history_is_not_changed(history: list[BaseMessage]) -> None:
    legal, skipped = make_legal(history)
    assert [*map(id, legal)] == [*map(id, history)]
    assert not skipped


NO_RESULT, NO_CALL, UNUSABLE, EMPTY = Reason.NO_RESULT, Reason.NO_CALL, Reason.UNUSABLE, Reason.EMPTY
ILLEGAL = {
    "a dangling call": ([QUESTION, calling("c1")], [QUESTION], {NO_RESULT: 1}),
    "a dangling call before a question": ([QUESTION, calling("c1"), QUESTION], [QUESTION, QUESTION], {NO_RESULT: 1}),
    "one of two results": ([QUESTION, calling("c1", "c2"), result("c2")], [QUESTION], {NO_RESULT: 1, NO_CALL: 1}),
    "a result too late": (
        [QUESTION, calling("c1"), QUESTION, result("c1")],
        [QUESTION, QUESTION],
        {NO_RESULT: 1, NO_CALL: 1},
    ),
    "a result without a call": ([QUESTION, result("c9"), ANSWER], [QUESTION, ANSWER], {NO_CALL: 1}),
    "a second result": (
        [QUESTION, calling("c1"), result("c1"), ToolMessage("43", tool_call_id="c1"), ANSWER],
        [QUESTION, calling("c1"), result("c1"), ANSWER],
        {NO_CALL: 1},
    ),
    "a call without an id": ([QUESTION, calling(None), result("None")], [QUESTION], {NO_RESULT: 1, NO_CALL: 1}),
    "a call that cannot be parsed": ([QUESTION, BROKEN_CALL], [QUESTION], {NO_RESULT: 1}),
    "a former call": ([QUESTION, FORMER_CALL, ANSWER], [QUESTION, ANSWER], {NO_RESULT: 1}),
    "a former result": ([QUESTION, FORMER_RESULT, ANSWER], [QUESTION, ANSWER], {NO_CALL: 1}),
    "a removed message": ([QUESTION, RemoveMessage(id="1"), ANSWER], [QUESTION, ANSWER], {UNUSABLE: 1}),
    "a role of its own": ([QUESTION, ChatMessage(role="cat", content="meow")], [QUESTION], {UNUSABLE: 1}),
    "a text block without text": (
        [QUESTION, AIMessage([{"type": "text", "text": None}]), QUESTION],
        [QUESTION, QUESTION],
        {UNUSABLE: 1},
    ),
    "a number that no JSON carries": ([QUESTION, AIMessage([{"type": "x", "n": 10**30}])], [QUESTION], {UNUSABLE: 1}),
    "a result that cannot be sent": (
        [QUESTION, calling("c1"), ToolMessage([{"type": "x", "n": 10**30}], tool_call_id="c1")],
        [QUESTION],
        {UNUSABLE: 1, NO_RESULT: 1},
    ),
    "an empty answer": ([QUESTION, AIMessage(""), AIMessage([])], [QUESTION], {EMPTY: 2}),
    "an empty question": ([HumanMessage(""), ANSWER], [], {EMPTY: 1}),
}


@pytest.mark.parametrize(("history", "expected", "reasons"), ILLEGAL.values(), ids=ILLEGAL)
def test_only_the_illegal_part_is_left_out(
    history: list[BaseMessage], expected: list[BaseMessage], reasons: dict[Reason, int]
) -> None:
    legal, skipped = make_legal(history)
    assert legal == expected
    assert skipped == reasons


def test_the_text_of_a_dangling_call_is_kept() -> None:
    blocks: list[Any] = [{"type": "text", "text": "let me see"}, {"type": "tool_use", "id": "c1", "name": "f"}]
    call = AIMessage(blocks, tool_calls=calling("c1").tool_calls, id="m1")
    assert make_legal([QUESTION, call]) == ([QUESTION, AIMessage("let me see", id="m1")], {NO_RESULT: 1})


def test_an_answer_of_blocks_becomes_its_text() -> None:
    """No provider accepts an image, or thinking without its signature, in an answer."""
    blocks: list[Any] = [
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "part one,"},
        " part two",
        IMAGE,
    ]
    assert make_legal([QUESTION, AIMessage(blocks)]) == ([QUESTION, AIMessage("part one, part two")], {})
    assert make_legal([QUESTION, AIMessage(blocks[:1])]) == ([QUESTION], {EMPTY: 1})


def test_a_text_among_the_blocks_of_a_question_becomes_a_block() -> None:
    [question], _ = make_legal([HumanMessage(["what is it", IMAGE])])
    assert question.content == [{"type": "text", "text": "what is it"}, IMAGE]


@pytest.mark.parametrize("name", ["Zoë Müller", "a/b", "x" * 65])
def test_a_name_that_openai_rejects_is_left_out(name: str) -> None:
    assert make_legal([HumanMessage("q", name=name)]) == ([QUESTION], {})
    beside = AIMessage("a", additional_kwargs={"name": name, "more": 1})
    assert make_legal([QUESTION, beside]) == ([QUESTION, AIMessage("a", additional_kwargs={"more": 1})], {})


@pytest.mark.parametrize("cut", [[ANSWER], [result("c1"), ANSWER], [calling("c1"), result("c1"), ANSWER]], ids=len)
def test_what_a_window_cuts_from_its_question_is_not_counted(cut: list[BaseMessage]) -> None:
    assert make_legal([*cut, QUESTION, ANSWER]) == ([QUESTION, ANSWER], {})


@pytest.mark.parametrize("exchange", [[], [calling("c1")], [ANSWER, QUESTION], [calling("c1"), ANSWER], [BROKEN_CALL]])
def test_an_exchange_must_be_legal_and_end_with_an_answer(exchange: list[BaseMessage]) -> None:
    assert is_valid_exchange([calling("c1"), result("c1"), ANSWER])
    assert not is_valid_exchange(exchange)
