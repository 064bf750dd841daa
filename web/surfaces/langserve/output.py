"""The answer of a turn as the messages of LangChain that LangServe sends."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from turns.domain.state import Status
from turns.domain.turn import Turn
from web.streaming.connections import KEEP_ALIVE
from web.surfaces.native_events import NativeEvent

WITHDRAWN = "The answer begins again, because its run ended without effect. Its turn goes on: {turn_id}"
ENDED = {"cancelled": "The turn was cancelled.", "incomplete": "The turn ended before its answer was complete."}
ERASED = "The session was erased."


def to_output(turn: Turn) -> Any:
    """Return the object that a custom chain has returned, or the answer of a completed turn as an `AIMessage`."""
    if turn.data is not None:
        return turn.data
    usage = turn.usage
    counted = {
        "input_tokens": usage.input_tokens if usage else 0,
        "output_tokens": usage.output_tokens if usage else 0,
        "total_tokens": usage.total_tokens if usage else 0,
    }
    return {"type": "ai", "content": turn.output or "", "id": turn.id, "usage_metadata": counted if usage else None}


def to_event_stream(events: Iterable[NativeEvent], turn_id: str) -> Iterator[bytes]:
    """Yield the answer as chunks of a message.

    The protocol cannot take text back: where it would be needed, and where the turn fails, the stream ends with an
    error.
    """
    yield _event("metadata", {"run_id": turn_id})
    text = ""
    for event in events:
        if not event.type:
            yield KEEP_ALIVE
        elif event.type == "delta":
            text += event.data["text"]
            yield _chunk(turn_id, event.data["text"])
        elif event.type == "reset" and text:
            yield _error(WITHDRAWN.format(turn_id=turn_id))
            return
        elif event.type == "done":
            yield from _end(event.data["turn"], turn_id, text)
            return


def _end(turn: Any, turn_id: str, sent: str) -> Iterator[bytes]:
    """Yield the part of the answer that was not sent, and the end."""
    problem = problem_of(turn["status"], turn["error"]) if turn else ERASED
    answer = "" if problem else turn["output"]["content"]
    if problem or not answer.startswith(sent):
        yield _error(problem or WITHDRAWN.format(turn_id=turn_id))
        return
    if answer != sent:
        yield _chunk(turn_id, answer.removeprefix(sent))
    yield b"event: end\n\n"


def problem_of(status: str, failure: Mapping[str, Any] | None) -> str | None:
    """Return why an ended turn has no complete answer; None if it has one."""
    if status == Status.COMPLETED:
        return None
    return str(failure["message"]) if failure else ENDED.get(status, status)


def _chunk(turn_id: str, text: str) -> bytes:
    return _event("data", {"type": "AIMessageChunk", "content": text, "id": turn_id})


def _error(message: str) -> bytes:
    return _event("error", {"status_code": 500, "message": message})


def _event(name: str, data: Any) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
