"""Test that stored messages are decoded as LangChain decodes them, and that others are left out."""

import json
from datetime import date
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    ToolMessage,
    message_to_dict,
    messages_from_dict,
)
from structlog.testing import capture_logs

from tests.unit.worker.run.stand_ins import make_claim
from worker.langchain.message_codec import decode_messages, encode_message, encode_pair

USAGE = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
DETAILED = {**USAGE, "input_token_details": {"cache_read": 3, "new": 1}, "output_token_details": {}}
CALL = {"name": "look", "args": {"at": "sky"}, "id": "c1", "type": "tool_call"}


def encoded(message: BaseMessage) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(encode_message(message, turn_id="turn_1"))
    return stored


def ai(**data: Any) -> dict[str, Any]:
    return {"type": "ai", "data": {"content": "yes", "type": "ai", "id": "one", **data}}


PAIR = encode_pair(
    make_claim(metadata_json='{"plan": "pro"}', turn_id="turn_1"), HumanMessage("hi"), AIMessage("Hello.")
)
STORED = {
    "a question with the metadata of its turn": json.loads(PAIR[0]),
    "an answer with its time and metadata": json.loads(PAIR[1]),
    "a question": encoded(HumanMessage("How are you?")),
    "an answer": encoded(AIMessage("Fine. \U0001f600 \x00", usage_metadata=DETAILED)),
    "content blocks": encoded(HumanMessage([{"type": "text", "text": "yes"}])),
    "a question of the stock class": message_to_dict(HumanMessage("How are you?")),
    "an answer of the stock class": message_to_dict(AIMessage("Fine.", usage_metadata=DETAILED)),
    "an imported question": {"type": "human", "data": {"content": "yes", "type": "human"}},
    "an unknown field": ai(colour="red"),
    "token counts of another form": ai(usage_metadata={**USAGE, "seconds": 1.5, "input_tokens": "11"}),
    "NaN": ai(additional_kwargs={"score": float("nan")}),
    "a system message": {"type": "system", "data": {"content": "be kind", "type": "system", "id": "one"}},
}
BROKEN = {
    "an unknown type": {"type": "cat", "data": {"content": "meow", "type": "cat", "id": "one"}},
    "no content": {"type": "ai", "data": {"type": "ai", "id": "one"}},
    "content of another type": ai(content=7),
    "too few token counts": ai(usage_metadata={"input_tokens": 1}),
    "a type that is a list": {"type": ["ai"], "data": {}},
    "data that is a list": {"type": "ai", "data": []},
    "half of a surrogate pair": ai(content="\ud83d"),
    "further fields that are a list": ai(additional_kwargs=[1]),
    "a list": [],
    "a number": 7,
}


def decode_after_question(item: bytes) -> list[BaseMessage]:
    """Decode the item behind a question, because a history must begin with one."""
    return decode_messages([encode_message(HumanMessage("first"), turn_id="turn_0").encode(), item])[1:]


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_a_message_is_decoded_as_by_langchain(stored: dict[str, Any]) -> None:
    [expected] = messages_from_dict([stored])
    [message] = decode_after_question(json.dumps(stored).encode())
    assert repr(message) == repr(expected)
    assert message.model_fields_set == expected.model_fields_set


@pytest.mark.parametrize(
    ("usage", "counts"),
    [
        (USAGE, [11, 7]),
        (
            {**USAGE, "input_token_details": {"audio": 0, "cache_read": 0}, "output_token_details": {"audio": 0}},
            [11, 7],
        ),
        ({**USAGE, "input_token_details": {"cache_read": 3}}, [11, 7, 3, 0]),
        ({**USAGE, "output_token_details": {"reasoning": 5}}, [11, 7, 0, 5]),
        (DETAILED, None),
        ({**USAGE, "total_tokens": 19}, None),
    ],
)
def test_usual_token_counts_are_stored_as_a_list(usage: dict[str, Any], counts: list[int] | None) -> None:
    stored = encoded(AIMessage("Fine.", usage_metadata=usage))
    assert stored.get("usage") == counts
    [read] = decode_after_question(json.dumps(stored).encode())
    assert isinstance(read, AIMessage)
    assert read.usage_metadata == (without_zeros(usage) if counts else usage)


def without_zeros(usage: dict[str, Any]) -> dict[str, Any]:
    short = {k: {part: n for part, n in v.items() if n} if isinstance(v, dict) else v for k, v in usage.items()}
    return {name: value for name, value in short.items() if value}


@pytest.mark.parametrize("usage", [{"input_tokens": 1}, [1, 2], {**USAGE, "input_token_details": None}])
def test_token_counts_of_no_known_form_are_stored_as_they_are(usage: Any) -> None:
    message = AIMessage("Fine.")
    message.usage_metadata = usage
    assert encoded(message)["data"]["usage_metadata"] == usage


def test_the_token_counts_of_another_program_are_ignored() -> None:
    [read] = decode_after_question(json.dumps({**ai(), "usage": {"input_tokens": 1}}).encode())
    assert isinstance(read, AIMessage)
    assert read.usage_metadata is None


def test_a_tool_call_is_decoded_with_its_result() -> None:
    stored = [HumanMessage("q"), AIMessage("", tool_calls=[CALL]), ToolMessage("42", tool_call_id="c1")]
    _, call, result = decode_messages([encode_message(message, turn_id="t").encode() for message in stored])
    assert isinstance(call, AIMessage)
    assert isinstance(result, ToolMessage)
    assert (call.tool_calls, result.content, result.tool_call_id) == ([CALL], "42", "c1")


def test_what_is_left_out_is_counted_in_the_log() -> None:
    stored = [HumanMessage("secret"), ToolMessage("secret", tool_call_id="c1"), AIMessage("", tool_calls=[CALL])]
    with capture_logs() as logs:
        decode_messages([*(encode_message(message, turn_id="t").encode() for message in stored), b"secret"])
    [log] = logs
    assert (log["event"], log["count"]) == ("message.skipped", 3)
    assert log["reasons"] == {"no_call": 1, "no_result": 1, "unreadable": 1}
    assert "secret" not in str(log)


@pytest.mark.parametrize("stored", BROKEN.values(), ids=BROKEN)
def test_a_broken_message_is_skipped(stored: object) -> None:
    assert decode_after_question(json.dumps(stored).encode()) == []


@pytest.mark.parametrize("item", [b"", b"{", b"\xff", b"[" * 100_000, b'"\\ud83d"'])
def test_broken_json_is_skipped(item: bytes) -> None:
    assert decode_after_question(item) == []


def test_a_history_begins_with_a_question() -> None:
    items = [encode_message(message, turn_id="turn_1").encode() for message in (AIMessage("a"), HumanMessage("q"))]
    assert [message.content for message in decode_messages(items)] == ["q"]


def test_messages_of_a_turn_have_different_ids() -> None:
    question, call, answer = HumanMessage("q"), AIMessage("", tool_calls=[CALL]), AIMessage("a")
    items = [encode_message(call, turn_id="t", step=1), encode_message(question, turn_id="t")]
    items.append(encode_message(answer, turn_id="t"))
    assert [json.loads(item)["data"]["id"] for item in items] == ["t_ai_1", "t_human", "t_ai"]


@pytest.mark.parametrize("text", ["Grüße 你好 😀", "half of a pair: \ud83d", "\n\x00"])
def test_text_is_stored_as_short_as_possible(text: str) -> None:
    stored = encode_message(HumanMessage(text), turn_id="t")
    assert json.loads(stored)["data"]["content"] == text
    assert (text in stored) == (text == "Grüße 你好 😀")
    assert '": ' not in stored


def test_a_value_without_a_json_form_raises() -> None:
    call = {**CALL, "args": {"on": date(2026, 1, 1)}}
    with pytest.raises(TypeError):
        encode_message(AIMessage("", tool_calls=[call]), turn_id="t")


def test_a_question_gets_the_id_of_its_turn_again() -> None:
    turns = [f"turn_{digit * 32}" for digit in "ab"]
    pairs = [encode_pair(make_claim(turn_id=turn), HumanMessage("q"), AIMessage("a")) for turn in turns]
    foreign = '{"type": "human", "data": {"content": "from elsewhere"}}'
    stored = [foreign, *pairs[0], foreign, "broken", "[1]", '{"type": "human"}', *pairs[1]]
    ids = [message.id for message in decode_messages([item.encode() for item in stored])]
    assert ids == [None, f"{turns[0]}_human", f"{turns[0]}_ai", None, f"{turns[1]}_human", f"{turns[1]}_ai"]


def test_a_question_without_an_answer_keeps_its_id() -> None:
    question, _ = encode_pair(make_claim(turn_id="turn_1"), HumanMessage("q"), None)
    assert json.loads(question)["data"]["id"] == "turn_1_human"


def test_a_model_gets_neither_the_time_nor_the_metadata() -> None:
    for message in decode_messages([item.encode() for item in PAIR]):
        assert "pro" not in repr(message)
    assert '"metadata":{"plan":"pro"}' in PAIR[0]
    assert encode_pair(make_claim(), HumanMessage("hi"), None)[1] == ""
