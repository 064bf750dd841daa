"""Test the order and the content of the parts of an answer."""

import json
from typing import Any

from turns.domain.content.answer_parts import build_parts
from turns.domain.events import EventType, OutputEvent


def tool(call_id: str, state: str, **fields: Any) -> OutputEvent:
    return OutputEvent(EventType.TOOL, json.dumps({"call_id": call_id, "name": "clock", "state": state, **fields}))


def reasoning(text: str) -> OutputEvent:
    return OutputEvent(EventType.REASONING, text)


def test_text_alone_has_no_parts() -> None:
    assert build_parts(["a", "b"], [], []) is None
    assert build_parts(["a"], [(0, OutputEvent(EventType.DATA, "{}"))], []) is None, "data is for the stream only"


def test_parts_are_in_the_order_of_the_stream() -> None:
    texts = ["Let me ", "see. ", "Noon."]
    events = [
        (0, reasoning("H")),
        (0, reasoning("m")),
        (2, tool("c1", "started", arguments="{}")),
        (2, tool("c2", "started")),
        (2, tool("c1", "finished", result="noon")),
        (3, tool("c2", "failed")),
    ]
    extras = [(17, {"type": "citation", "url": "https://x"})]
    assert build_parts(texts, events, extras) == [
        {"type": "reasoning", "text": "Hm"},
        {"type": "text", "start": 0, "end": 12},
        {"type": "tool", "call_id": "c1", "name": "clock", "state": "finished", "arguments": "{}", "result": "noon"},
        {"type": "tool", "call_id": "c2", "name": "clock", "state": "failed"},
        {"type": "text", "start": 12, "end": 17},
        {"type": "citation", "url": "https://x"},
    ]


def test_an_end_without_its_start_is_left_out() -> None:
    assert build_parts(["a"], [(0, tool("c1", "finished"))], []) is None
