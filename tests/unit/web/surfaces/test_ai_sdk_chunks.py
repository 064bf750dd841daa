"""The chunks of a UI message stream, from the events of a turn."""

import json
from typing import Any

import pytest

from web.streaming.connections import KEEP_ALIVE
from web.surfaces.ai_sdk.chunks import CANCELLED, ERASED, WITHDRAWN, to_message_stream
from web.surfaces.native_events import NativeEvent, read_native_events

QUEUED = NativeEvent("status", {"queue": {"position": 2}})
RUNNING = NativeEvent("status", {"queue": None})


def delta(text: str) -> NativeEvent:
    return NativeEvent("delta", {"text": text})


def done(text: str | None, status: str = "completed", **more: Any) -> NativeEvent:
    output = None if text is None else {"content": text}
    return NativeEvent("done", {"turn": {"status": status, "output": output, "status_reason": None, **more}})


RESET = NativeEvent("reset", {})


def project(*events: NativeEvent, can_reset: bool = True) -> list[Any]:
    sent = [item.decode() for item in to_message_stream(events, "turn_1", can_reset=can_reset)]
    assert all(item.startswith("data: ") and item.endswith("\n\n") for item in sent)
    return [item[6:-2] if item == "data: [DONE]\n\n" else json.loads(item[6:-2]) for item in sent]


def text_of(chunks: list[Any]) -> str:
    """Return the text that a page shows after these chunks."""
    text = ""
    for chunk in chunks:
        if chunk != "[DONE]":
            text = "" if chunk["type"] == "reset-step" else text + chunk.get("delta", "")
    return text


def kinds(chunks: list[Any]) -> list[str]:
    return [chunk if chunk == "[DONE]" else chunk["type"] for chunk in chunks]


def test_an_answer_is_one_step_with_one_part() -> None:
    chunks = project(QUEUED, RUNNING, delta("a"), delta("b"), done("ab"))
    assert kinds(chunks) == [
        *("start", "data-queue", "data-queue", "start-step", "text-start"),
        *("text-delta", "text-delta", "text-end", "finish-step", "finish", "[DONE]"),
    ]
    assert chunks[0]["messageId"] == "turn_1"
    assert (chunks[1]["data"], chunks[1]["transient"]) == ({"position": 2}, True)
    assert chunks[-2]["finishReason"] == "stop"


def test_a_part_of_the_answer_that_was_missed_is_sent_at_the_end() -> None:
    assert text_of(project(delta("a"), done("abc"))) == "abc"
    assert text_of(project(delta("x"), done("abc"))) == "abc"
    assert text_of(project(done("abc"))) == "abc"


def test_a_reset_takes_the_step_back() -> None:
    chunks = project(delta("a"), RESET, delta("b"), done("b"))
    assert text_of(chunks) == "b"
    starts = [chunk["id"] for chunk in chunks if chunk != "[DONE]" and chunk["type"] == "text-start"]
    assert len(set(starts)) == 2, "the withdrawn part has another id"
    assert "reset-step" not in kinds(project(RESET, delta("b"), done("b"))), "nothing was shown"


def test_a_release_that_cannot_reset_gets_an_error() -> None:
    chunks = project(delta("a"), RESET, delta("b"), done("b"), can_reset=False)
    assert chunks[-2:] == [{"type": "error", "errorText": WITHDRAWN}, "[DONE]"]
    assert text_of(chunks) == "a"


@pytest.mark.parametrize(
    ("end", "chunk"),
    [
        (done(None, "failed", error={"message": "No."}), {"type": "error", "errorText": "No."}),
        (done(None, "cancelled"), {"type": "abort", "reason": CANCELLED}),
        (done("a", "completed"), {"type": "finish", "finishReason": "stop"}),
        (done("a", "incomplete", status_reason="length"), {"type": "finish", "finishReason": "length"}),
        (done("a", "incomplete", status_reason="interrupted"), {"type": "finish", "finishReason": "other"}),
        (NativeEvent("done", {"turn": None}), {"type": "error", "errorText": ERASED}),
    ],
)
def test_the_last_chunk_says_how_the_turn_ended(end: NativeEvent, chunk: dict[str, Any]) -> None:
    assert project(delta("a"), end)[-2:] == [chunk, "[DONE]"]


def test_reasoning_and_tools_are_parts_between_the_text() -> None:
    call = {"call_id": "c", "name": "search"}
    chunks = project(
        NativeEvent("reasoning", {"text": "hm"}),
        NativeEvent("tool", {**call, "state": "started", "arguments": '{"q": 1}', "result": None}),
        NativeEvent("tool", {**call, "state": "finished", "arguments": None, "result": "42"}),
        delta("a"),
        done("a"),
    )
    assert kinds(chunks) == [
        *("start", "start-step", "reasoning-start", "reasoning-delta", "reasoning-end"),
        *("tool-input-available", "tool-output-available"),
        *("text-start", "text-delta", "text-end", "finish-step", "finish", "[DONE]"),
    ]
    assert chunks[6]["output"] == "42"


def test_native_events_are_read_from_the_bytes_of_a_stream() -> None:
    stream = [
        b'retry: 1000\n\nevent: status\ndata: {"queue":null}\n\n',
        b": still here\n\n",
        'id: 1-1\nevent: delta\ndata: {"text":"a: \u2028é"}\n\n'.encode(),
    ]
    events = list(read_native_events(stream))
    assert events == [
        NativeEvent("status", {"queue": None}),
        NativeEvent(),
        NativeEvent("delta", {"text": "a: \u2028é"}, "1-1"),
    ]
    assert KEEP_ALIVE in list(to_message_stream(events, "turn_1", can_reset=True))
