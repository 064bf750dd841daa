"""Files that `inturn sessions import` accepts, and its errors for others."""

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, messages_to_dict

from inturn.cli.files.message_file import InvalidMessageFile, parse_messages

EXPORTED = [
    {"object": "message", "number": 1, "role": "user", "content": "one\u2028two", "turn_id": "turn_1"},
    {"object": "message", "number": 2, "role": "assistant", "content": "three", "turn_id": None},
]
IMPORTED = [
    {"role": "user", "content": "one\u2028two", "turn_id": "turn_1"},
    {"role": "assistant", "content": "three", "turn_id": None},
]


@pytest.mark.parametrize("as_ascii", [True, False])
def test_exported_lines_are_accepted(as_ascii: bool) -> None:
    lines = "\n".join(json.dumps(message, ensure_ascii=as_ascii) for message in EXPORTED) + "\n\n"
    parsed = parse_messages(lines.encode())
    assert (parsed.messages, parsed.skipped) == (IMPORTED, 0)


def test_an_array_of_exported_messages_is_accepted() -> None:
    assert parse_messages(b"\xef\xbb\xbf" + json.dumps(EXPORTED, indent=2).encode()).messages == IMPORTED


def test_system_and_tool_messages_of_langchain_are_skipped() -> None:
    call = {"name": "clock", "args": {}, "id": "c"}
    history = [
        SystemMessage("be kind"),
        HumanMessage("what time is it?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("noon", tool_call_id="c"),
        AIMessage("noon"),
    ]
    parsed = parse_messages(json.dumps(messages_to_dict(history)).encode())
    assert [(message["role"], message["content"]) for message in parsed.messages] == [
        ("user", "what time is it?"),
        ("assistant", "noon"),
    ]
    assert parsed.skipped == 3


def test_the_text_of_content_blocks_is_accepted() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}}
    history = [
        HumanMessage([{"type": "text", "text": "what is"}, " this?", image]),
        AIMessage([{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a cat"}]),
        HumanMessage([image]),
    ]
    parsed = parse_messages(json.dumps(messages_to_dict(history)).encode())
    assert [message["content"] for message in parsed.messages] == ["what is this?", "a cat"]
    assert parsed.skipped == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file contains no messages"),
        (b"[]", "The file contains no messages"),
        (b"\xff", "not UTF-8"),
        (b"hello", "Line 1 is not JSON"),
        (b'{"role": "user", "content": "x"}\n{"role": ', "Line 2 is not JSON"),
        (b"[1", "The file is not JSON"),
        (b"[" * 100_000, "The file is not JSON"),
        (b"[1]", "Message 1 is not a message"),
        (b'{"content": "x"}', "Line 1 is not a message"),
        (b'{"type": "human", "data": "x"}', "Line 1 is not a message"),
        (b'[{"type": "system", "data": {"content": "x"}}]', "The file contains no messages"),
    ],
)
def test_an_invalid_file_is_an_error_with_its_position(data: bytes, reason: str) -> None:
    with pytest.raises(InvalidMessageFile, match=reason):
        parse_messages(data)


def test_a_message_of_a_turn_has_its_turn() -> None:
    turn_id = f"turn_{'0' * 32}"
    stored = [{"type": "human", "data": {"content": "hi", "id": f"{turn_id}_human"}}]
    assert [message["turn_id"] for message in parse_messages(json.dumps(stored).encode()).messages] == [turn_id]
