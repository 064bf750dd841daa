"""What is read of a stored message is what LangChain's own reader makes of it, whichever way it is read."""

import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, message_to_dict, messages_from_dict

from worker.langchain.message_codec import read_messages, stored_message

USAGE = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
DETAILED = {**USAGE, "input_token_details": {"cache_read": 3, "new": 1}, "output_token_details": {}}
CALL = {"name": "look", "args": {"at": "sky"}, "id": "c1", "type": "tool_call"}


def ours(**fields: Any) -> dict[str, Any]:
    made = AIMessage if fields.pop("type", "ai") == "ai" else HumanMessage
    stored: dict[str, Any] = json.loads(stored_message(made(**fields), turn_id="turn_1"))
    return stored


def ai(**data: Any) -> dict[str, Any]:
    return {"type": "ai", "data": {"content": "yes", "type": "ai", "id": "one", **data}}


STORED = {
    "a question": ours(type="human", content="How are you?"),
    "an answer": ours(content="Fine. \U0001f600 \x00"),
    "nothing said": ours(content=""),
    "with numbers": ours(content="Fine.", usage_metadata=USAGE),
    "with details": ours(content="Fine.", usage_metadata=DETAILED),
    "with a tool call": ours(content="", tool_calls=[CALL]),
    "with parts": ours(content=[{"type": "text", "text": "yes"}]),
    "as the stock class stores a question": message_to_dict(HumanMessage(content="How are you?")),
    "as the stock class stores an answer": message_to_dict(AIMessage(content="Fine.", usage_metadata=DETAILED)),
    "an imported question": {"type": "human", "data": {"content": "yes", "type": "human"}},
    "an imported answer": {"type": "ai", "data": {"content": "yes", "type": "ai"}},
    "in another order": {"type": "ai", "data": {"type": "ai", "content": "yes"}},
    "no id": ai(id=None),
    "a name": ai(name="bob"),
    "something unknown": ai(colour="red"),
    "unknown beside numbers": ai(usage_metadata=USAGE, colour="red"),
    "no numbers": ai(usage_metadata=None),
    "another provider's numbers": ai(usage_metadata={**USAGE, "seconds": 1.5}),
    "numbers that are text": ai(usage_metadata={**USAGE, "input_tokens": "11"}),
    "numbers that are truths": ai(usage_metadata={**USAGE, "input_tokens": True}),
    "NaN": ai(additional_kwargs={"score": float("nan")}),
    "a system message": {"type": "system", "data": {"content": "be kind", "type": "system", "id": "one"}},
    "a tool's": {"type": "tool", "data": {"content": "42", "type": "tool", "id": "one", "tool_call_id": "c1"}},
}
BROKEN = {
    "other types": {"type": "ai", "data": {"content": "yes", "type": "human", "id": "one"}},
    "an unknown type": {"type": "cat", "data": {"content": "meow", "type": "cat", "id": "one"}},
    "no content": {"type": "ai", "data": {"type": "ai", "id": "one"}},
    "content of no kind": ai(content=7),
    "too few numbers": ai(usage_metadata={"input_tokens": 1}),
    "details that are none": ai(usage_metadata={**USAGE, "input_token_details": 5}),
    "a type that is a list": {"type": ["ai"], "data": {}},
    "data that is a list": {"type": "ai", "data": []},
    "a list": [],
    "a number": 7,
}


def read_behind_a_question(stored: object) -> list[BaseMessage]:
    """Because a history begins with one."""
    question = stored_message(HumanMessage(content="first"), turn_id="turn_0")
    return read_messages([question.encode(), json.dumps(stored).encode()])[1:]


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED)
def test_a_message_is_read_as_by_langchain(stored: dict[str, Any]) -> None:
    [expected] = messages_from_dict([json.loads(json.dumps(stored))])
    [message] = read_behind_a_question(stored)
    assert type(message) is type(expected)
    assert repr(message) == repr(expected)
    assert list(vars(message)) == list(vars(expected))
    assert message.model_fields_set == expected.model_fields_set
    assert message.model_dump_json(exclude_unset=True) == expected.model_dump_json(exclude_unset=True)


@pytest.mark.parametrize("stored", BROKEN.values(), ids=BROKEN)
def test_what_langchain_refuses_is_skipped(stored: object) -> None:
    try:
        expected = messages_from_dict(json.loads(json.dumps([stored])))
    except (ValueError, KeyError, TypeError):
        expected = []
    assert read_behind_a_question(stored) == expected


def test_two_messages_share_nothing_that_a_chain_could_change() -> None:
    item = stored_message(AIMessage(content="yes", usage_metadata=USAGE), turn_id="turn_1").encode()
    question = stored_message(HumanMessage(content="first"), turn_id="turn_0").encode()
    _, first, _, second = read_messages([question, item, question, item])
    for name, value in vars(first).items():
        if isinstance(value, dict | list):
            assert value is not getattr(second, name), name
    first.additional_kwargs["mood"] = "good"
    assert read_messages([question, item])[1].additional_kwargs == {}
