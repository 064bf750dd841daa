"""A completion, and the chunks of one that is streamed."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from turns.domain.run.spending import Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.streaming.connections import KEEP_ALIVE
from web.surfaces.native_events import NativeEvent

END = b"data: [DONE]\n\n"
WITHDRAWN = "The run of this answer ended without effect, so the text that was sent does not count. Try again."
CUT_OFF = "The service has ended the stream before the answer was complete. Try again."
ERASED = "The session was erased."
ENDED = {"cancelled": "The turn was cancelled.", "incomplete": "The turn ended before its answer was complete."}

Json = dict[str, Any]


def completion_id(turn_id: str) -> str:
    return f"chatcmpl-{turn_id.removeprefix('turn_')}"


def to_completion(turn: Turn) -> Json:
    """Return a completed turn as the protocol's object."""
    message: Json = {"role": "assistant", "content": turn.output or "", "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(turn.status_reason)}
    return {
        "id": completion_id(turn.id),
        "object": "chat.completion",
        "created": turn.accepted_at // 1000,
        "model": turn.assistant,
        "choices": [choice],
        "usage": to_usage(turn.usage),
        "system_fingerprint": None,
    }


def finish_reason(status_reason: str | None) -> str:
    return "length" if status_reason == "length" else "stop"


def to_usage(usage: Usage | None) -> Json | None:
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def describe_problem(status: str, failure: Json | None) -> tuple[str, str] | None:
    """Return the message and code of a turn without a complete answer; None if it has one."""
    if status == Status.COMPLETED:
        return None
    if failure:
        return str(failure["message"]), str(failure["code"])
    return ENDED.get(status, "The turn has not ended."), str(status)


@dataclass
class CompletionStream:
    """The chunks of one completion. `has_ended`: the turn has."""

    turn: Turn
    includes_usage: bool
    has_ended: bool = False
    _text: str = ""

    def chunks(self, events: Iterable[NativeEvent]) -> Iterator[bytes]:
        """Yield the stream.

        The protocol cannot take text back: where that would be needed, and where the turn fails, it ends with an error.
        """
        yield self._chunk({"role": "assistant", "content": "", "refusal": None})
        for event in events:
            match event.type:
                case "":
                    yield KEEP_ALIVE
                case "delta":
                    self._text += event.data["text"]
                    yield self._chunk({"content": event.data["text"]})
                case "reasoning":
                    yield self._chunk({"reasoning_content": event.data["text"]})
                case "reset" if self._text:
                    yield _error(WITHDRAWN, "answer_withdrawn")
                    return
                case "done":
                    self.has_ended = True
                    yield from self._end(event.data["turn"])
                    return
        yield _error(CUT_OFF, "stream_cut_off")

    def _end(self, turn: Json | None) -> Iterator[bytes]:
        if turn is None:
            yield _error(ERASED, "session_erased")
            return
        if problem := describe_problem(turn["status"], turn["error"]):
            yield _error(*problem)
            return
        answer = turn["output"]["content"]
        if not answer.startswith(self._text):
            yield _error(WITHDRAWN, "answer_withdrawn")
            return
        if answer != self._text:
            yield self._chunk({"content": answer.removeprefix(self._text)})
        yield self._chunk({}, finish=finish_reason(turn["status_reason"]))
        if self.includes_usage:
            usage = Usage(**turn["usage"]) if turn["usage"] else None
            yield _data({**self._head, "choices": [], "usage": to_usage(usage)})
        yield END

    def _chunk(self, delta: Json, *, finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        usage = {"usage": None} if self.includes_usage else {}
        return _data({**self._head, "choices": [choice], **usage})

    @property
    def _head(self) -> Json:
        return {
            "id": completion_id(self.turn.id),
            "object": "chat.completion.chunk",
            "created": self.turn.accepted_at // 1000,
            "model": self.turn.assistant,
            "system_fingerprint": None,
        }


def _error(message: str, code: str) -> bytes:
    return _data({"error": {"message": message, "type": "server_error", "param": None, "code": code}})


def _data(chunk: Json) -> bytes:
    return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"
