"""What `inturn sessions import` takes, and what it says of the rest."""

import json

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage, messages_to_dict

from inturn.cli.files.message_file import NoMessages, read_messages

EXPORTED = [
    {"object": "message", "number": 1, "role": "user", "content": "one\u2028two", "turn_id": "turn_1"},
    {"object": "message", "number": 2, "role": "assistant", "content": "three", "turn_id": None},
]
TAKEN = [
    {"role": "user", "content": "one\u2028two", "turn_id": "turn_1"},
    {"role": "assistant", "content": "three", "turn_id": None},
]


@pytest.mark.parametrize("as_ascii", [True, False])
def test_lines_are_what_export_wrote(as_ascii: bool) -> None:
    lines = "\n".join(json.dumps(message, ensure_ascii=as_ascii) for message in EXPORTED) + "\n\n"
    found = read_messages(lines.encode())
    assert (found.messages, found.left_out) == (TAKEN, 0)


def test_an_array_of_them_does_as_well() -> None:
    assert read_messages(b"\xef\xbb\xbf" + json.dumps(EXPORTED, indent=2).encode()).messages == TAKEN


def test_a_history_of_langchain_is_taken_without_what_nobody_said() -> None:
    call = {"name": "clock", "args": {}, "id": "c"}
    history = [
        SystemMessage("be kind"),
        HumanMessage("what time is it?"),
        AIMessage("", tool_calls=[call]),
        ToolMessage("noon", tool_call_id="c"),
        AIMessage("noon"),
    ]
    found = read_messages(json.dumps(messages_to_dict(history)).encode())
    assert [(said["role"], said["content"]) for said in found.messages] == [
        ("user", "what time is it?"),
        ("assistant", "noon"),
    ]
    assert found.left_out == 3


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "There is no message in it"),
        (b"[]", "There is no message in it"),
        (b"\xff", "not UTF-8"),
        (b"hello", "Line 1 is not JSON"),
        (b'{"role": "user", "content": "x"}\n{"role": ', "Line 2 is not JSON"),
        (b"[1", "The file is not JSON"),
        (b"[" * 100_000, "The file is not JSON"),
        (b"[1]", "Message 1 is no message"),
        (b'{"content": "x"}', "Line 1 is no message"),
        (b'{"type": "human", "data": "x"}', "Line 1 is no message"),
        (b'[{"type": "system", "data": {"content": "x"}}]', "There is no message in it"),
    ],
)
def test_anything_else_is_told_where_it_is_wrong(data: bytes, said: str) -> None:
    with pytest.raises(NoMessages, match=said):
        read_messages(data)
