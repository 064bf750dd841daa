"""Test that the lean model sends the same requests as `ChatOpenAI`, for every type of message in a history."""

from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from worker.provider.chat_openai import LeanChatOpenAI

CALL = {"name": "look", "args": {"at": "sky"}, "id": "c1", "type": "tool_call"}
BROKEN_CALL = {"name": "look", "args": "{", "id": "c1", "error": None, "type": "invalid_tool_call"}
OLD_CALL = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}, "index": 0}
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}

MESSAGES: dict[str, BaseMessage] = {
    "a question": HumanMessage(content="How are you?"),
    "an answer": AIMessage(
        content="Fine.", id="one", usage_metadata=USAGE, response_metadata={"finish_reason": "stop"}
    ),
    "an empty answer": AIMessage(content=""),
    "a question with a name": HumanMessage(content="How are you?", name="bob"),
    "an answer with a name": AIMessage(content="Fine.", name="eve"),
    "a name beside": AIMessage(content="Fine.", additional_kwargs={"name": "eve"}),
    "an image": HumanMessage(content=["What is this?", IMAGE]),
    "parts": AIMessage(content=[{"type": "text", "text": "A cat."}]),
    "audio": AIMessage(content=[{"type": "audio", "id": "a1"}]),
    "audio beside": AIMessage(content="", additional_kwargs={"audio": {"id": "a1", "data": "…"}}),
    "a tool call": AIMessage(content="", tool_calls=[CALL]),
    "a broken tool call": AIMessage(content="", invalid_tool_calls=[BROKEN_CALL]),
    "a tool call beside": AIMessage(content="x", additional_kwargs={"tool_calls": [OLD_CALL]}),
    "a function call": AIMessage(content="x", additional_kwargs={"function_call": {"name": "f", "arguments": "{}"}}),
    "content of a later version": AIMessage(
        content=[{"type": "text", "text": "A cat."}], response_metadata={"output_version": "v1"}
    ),
    "text of a later version": AIMessage(content="A cat.", response_metadata={"output_version": "v1"}),
    "a system message": SystemMessage(content="Be kind."),
    "a developer's": SystemMessage(content="Be kind.", additional_kwargs={"__openai_role__": "developer"}),
    "a tool's": ToolMessage(content="blue", tool_call_id="c1"),
    "a function's": FunctionMessage(content="blue", name="f"),
    "another role's": ChatMessage(content="hm", role="critic"),
}


def payload(make: type[ChatOpenAI], messages: Any, *, model: str = "gpt-4o-mini", **options: Any) -> dict[str, Any]:
    chat = make(model=model, api_key=SecretStr("none"), max_tokens=9)
    request: dict[str, Any] = chat._get_request_payload(messages, **options)
    return request


def assert_same(messages: Any, **options: Any) -> None:
    stock, lean = (payload(make, messages, **options) for make in (ChatOpenAI, LeanChatOpenAI))
    assert lean == stock
    assert [list(message) for message in lean.get("messages", ())] == [
        list(message) for message in stock.get("messages", ())
    ]


@pytest.mark.parametrize("message", MESSAGES.values(), ids=MESSAGES)
def test_each_message_is_sent_as_by_chat_openai(message: BaseMessage) -> None:
    assert_same([message])


def test_the_order_of_messages_is_kept() -> None:
    assert_same([*MESSAGES.values(), *reversed(MESSAGES.values())])
    assert_same([])
    assert_same("just text")


def test_options_of_a_call_are_kept() -> None:
    messages = list(MESSAGES.values())
    assert_same(messages, stop=["x"], temperature=0.5)
    assert_same(messages, model="o3-mini")  # its system messages have the role "developer"
    assert_same([HumanMessage(content="hello"), AIMessage(content="hi")], reasoning={"effort": "low"})


@pytest.mark.parametrize("plain", [[], [HumanMessage(content="hello")]])
def test_blocks_that_cannot_be_converted_are_sent_as_text(plain: list[BaseMessage]) -> None:
    """A file behind a URL is an example. Otherwise each later turn of the session would fail."""
    file = {"type": "file", "url": "https://example.com/x.pdf", "source_type": "url"}
    messages = [*plain, HumanMessage(content=[{"type": "text", "text": "Read this."}, file])]
    with pytest.raises(ValueError, match="URL"):
        payload(ChatOpenAI, messages)
    assert payload(LeanChatOpenAI, messages)["messages"][-1] == {"content": "Read this.", "role": "user"}
    with pytest.raises(TypeError, match="unknown type"):
        payload(LeanChatOpenAI, [*messages, RemoveMessage(id="1")])


def test_in_traces_the_lean_model_has_the_stock_name() -> None:
    stock, lean = (make(model="m", api_key=SecretStr("none")) for make in (ChatOpenAI, LeanChatOpenAI))
    assert lean.get_name() == stock.get_name()
    assert isinstance(lean, ChatOpenAI)
