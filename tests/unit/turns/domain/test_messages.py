import json
from typing import Any

import pytest
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    HumanMessageChunk,
    SystemMessage,
    ToolMessage,
    message_to_dict,
)

from turns.domain.ids import created_at
from turns.domain.messages import Message, build_page, page_numbers, window_length

TURN = "turn_01a2073c9fe1775a924bcc85e05eaf46"
STORED = [Message(number=n, role="user", content=str(n), turn_id=None).to_stored().encode() for n in range(1, 6)]


@pytest.mark.parametrize("newest_first", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 5, 6])
def test_following_the_cursors_yields_each_message_once(limit: int, newest_first: bool) -> None:
    found: list[int] = []
    after = None
    while True:
        numbers = page_numbers(5, after=after, limit=limit, newest_first=newest_first)
        page = build_page(numbers, {n: STORED[n - 1] for n in numbers}, 5)
        found += [message.number for message in page.messages]
        if (after := page.after) is None:
            break
    assert found == ([5, 4, 3, 2, 1] if newest_first else [1, 2, 3, 4, 5])


@pytest.mark.parametrize(("after", "newest_first"), [(5, False), (1_000_000, False), (1, True), (0, True)])
def test_a_page_beyond_the_end_is_empty(after: int, newest_first: bool) -> None:
    numbers = page_numbers(5, after=after, limit=2, newest_first=newest_first)
    assert build_page(numbers, {}, 5).messages == ()
    assert build_page(numbers, {}, 5).after is None


def test_an_unreadable_message_is_left_out_and_keeps_its_number() -> None:
    page = build_page(range(1, 4), {1: STORED[0], 2: b"not json", 3: STORED[2]}, 5)
    assert ([message.number for message in page.messages], page.after) == ([1, 3], 3)


@pytest.mark.parametrize(("length", "window"), [(0, 0), (4, 4), (5, 3), (6, 4), (7, 3), (8, 4)], ids=str)
def test_the_window_slides_in_steps_of_half_its_size(length: int, window: int) -> None:
    assert window_length(length, 4) == window


TEXT, MORE = {"type": "text", "text": "What is"}, {"type": "text", "text": " this?"}
IMAGE: Any = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
THINKING: Any = {"type": "thinking", "thinking": "hm", "signature": "s"}
CALL: Any = {"name": "look", "args": {}, "id": "c1", "type": "tool_call"}
SHOWN = {
    "text": HumanMessage("What is this?"),
    "text among blocks": HumanMessage([TEXT, IMAGE, MORE]),
    "text beside blocks": HumanMessage(["What is", IMAGE, " this?"]),
    "a chunk of a question": HumanMessageChunk(content=[TEXT, MORE]),
    "an answer of blocks": AIMessage([THINKING, TEXT, MORE]),
    "a chunk of an answer": AIMessageChunk(content="What is this?"),
    "an answer with tool calls": AIMessage([TEXT, MORE], tool_calls=[CALL]),
    "a role of its own class": ChatMessage(role="assistant", content="What is this?"),
    "an empty answer": AIMessage(""),
}
HIDDEN = {
    "an image alone": HumanMessage([IMAGE]),
    "thinking alone": AIMessage([THINKING]),
    "tool calls alone": AIMessage("", tool_calls=[CALL]),
    "tool calls among blocks": AIMessage([{"type": "tool_use", "id": "c1"}], tool_calls=[CALL]),
    "a tool's result": ToolMessage("42", tool_call_id="c1"),
    "a system message": SystemMessage("be kind"),
    "an unknown role": ChatMessage(role="critic", content="hm"),
}


def shown(message: BaseMessage) -> Message | None:
    return Message.from_stored(1, json.dumps(message_to_dict(message)).encode())


@pytest.mark.parametrize("message", SHOWN.values(), ids=SHOWN)
def test_the_text_of_a_message_is_shown_as_langchain_reads_it(message: BaseMessage) -> None:
    found = shown(message)
    assert found is not None
    assert (found.role, found.content) == ("user" if "uman" in message.type else "assistant", str(message.text))


@pytest.mark.parametrize("message", HIDDEN.values(), ids=HIDDEN)
def test_a_message_without_text_of_a_person_or_model_is_hidden(message: BaseMessage) -> None:
    assert shown(message) is None


@pytest.mark.parametrize(
    "content", [None, 7, {"text": "x"}, [{"type": "text", "text": "\ud83d"}], [{"type": ["text"]}]]
)
def test_content_that_is_no_text_is_hidden(content: object) -> None:
    assert Message.from_stored(1, json.dumps({"type": "ai", "data": {"content": content}}).encode()) is None


@pytest.mark.parametrize(
    ("stored", "turn_id"),
    [
        ({"data": {"content": "hi", "id": f"{TURN}_human"}}, TURN),
        ({"data": {"content": "hi", "id": f"{TURN}_ai_1"}}, TURN),
        ({"data": {"content": "hi", "id": "one"}, "turn": TURN}, TURN),
        ({"data": {"content": "hi", "id": f"{TURN}0"}}, None),
        ({"data": {"content": "hi", "id": 7}, "turn": ["x"]}, None),
    ],
)
def test_a_message_knows_its_turn(stored: dict[str, Any], turn_id: str | None) -> None:
    message = Message.from_stored(1, json.dumps({"type": "human", **stored}).encode())
    assert message is not None
    assert message.turn_id == turn_id


def test_a_message_keeps_its_time_and_metadata() -> None:
    message = Message(number=1, role="user", content="hi", turn_id=TURN, created_at=5, metadata={"plan": "pro"})
    assert Message.from_stored(1, message.to_stored().encode()) == message


def stored_time(**origin: Any) -> int | None:
    stored = json.dumps({"type": "human", "data": {"content": "hi"}, "metadata": {"a": 1}, **origin})
    message = Message.from_stored(1, stored.encode())
    assert message is not None
    assert message.metadata == {}, "a value that is no text"
    return message.created_at


@pytest.mark.parametrize("at", [0, -1, "5", 1.5, 10**15])
def test_an_unusable_time_of_a_message_is_unknown(at: Any) -> None:
    assert stored_time(turn=TURN, at=at) is None


def test_without_a_time_of_the_message_that_of_its_turn_counts() -> None:
    assert stored_time(turn=TURN) == created_at(TURN)
    for made_up in ("turn_" + "a" * 32, "turn_ffffffffffff7" + "a" * 19, None):
        assert stored_time(turn=made_up) is None


QUESTION = {"type": "human", "data": {"content": "q"}}


def stored_answer(message_id: object) -> bytes:
    return json.dumps({"type": "ai", "data": {"content": "a", "id": message_id}}).encode()


@pytest.mark.parametrize(
    ("following", "turn_id"),
    [
        (stored_answer(f"{TURN}_ai"), TURN),
        (stored_answer(f"{TURN}_tool_1"), TURN),
        (stored_answer(f"{TURN}_human_1"), TURN),
        (stored_answer(f"{TURN}_human"), None),
        (stored_answer("run-1"), None),
        (stored_answer(None), None),
        (stored_answer(7), None),
        (b"not json", None),
        (b"[1]", None),
        (b'{"data": []}', None),
        (None, None),
    ],
)
def test_a_question_without_an_id_is_of_the_turn_of_its_answer(following: bytes | None, turn_id: str | None) -> None:
    for newest_first in (False, True):
        numbers = page_numbers(2, after=2 if newest_first else None, limit=1, newest_first=newest_first)
        stored = {1: json.dumps(QUESTION).encode()} | ({2: following} if following else {})
        [message] = build_page(numbers, stored, 2).messages
        assert (message.number, message.turn_id) == (1, turn_id)


@pytest.mark.parametrize(
    "stored", [{**QUESTION, "turn": "elsewhere"}, {"type": "human", "data": {"content": "q", "id": "x"}}]
)
def test_a_question_with_another_id_is_of_no_turn(stored: dict[str, object]) -> None:
    message = Message.from_stored(1, json.dumps(stored).encode(), stored_answer(f"{TURN}_ai"))
    assert message is not None
    assert message.turn_id is None
