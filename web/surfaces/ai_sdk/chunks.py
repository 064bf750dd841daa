"""The events of a turn as the chunks of a UI message stream (https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol)."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from web.streaming.connections import KEEP_ALIVE
from web.surfaces.ai_sdk.files import ANY_IMAGE, file_url
from web.surfaces.native_events import NativeEvent

END = b"data: [DONE]\n\n"
WITHDRAWN = "The answer begins again, because its run ended without effect."
ERASED = "The conversation was erased."
CANCELLED = "The turn was cancelled."
QUEUE_PART = "data-queue"

Chunk = dict[str, Any]


def to_message_stream(events: Iterable[NativeEvent], turn_id: str, *, can_reset: bool) -> Iterator[bytes]:
    """Yield the bytes of the stream. Without `can_reset` it ends with an error where text must be taken back.

    A stream that ends without `[DONE]` was cut off; the page resumes it.
    """
    message = MessageStream(turn_id, can_reset=can_reset)
    for event in events:
        if not event.type:
            yield KEEP_ALIVE
            continue
        for chunk in message.project(event.type, event.data):
            yield b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"
        if message.has_ended:
            yield END
            return


class MessageStream:
    """One assistant message while it is sent: its id is that of the turn, each attempt is a step."""

    def __init__(self, turn_id: str, *, can_reset: bool) -> None:
        self.has_ended = False
        self._turn_id = turn_id
        self._can_reset = can_reset
        self._has_started = False
        self._has_step = False
        self._open: str | None = None  # the part that grows, `text` or `reasoning`
        self._parts = 0
        self._text = ""

    def project(self, name: str, data: Any) -> Iterator[Chunk]:
        """Yield the chunks for a native event."""
        if not self._has_started:
            self._has_started = True
            yield {"type": "start", "messageId": self._turn_id}
        match name:
            case "status":
                # Also null, when it runs: transient parts with the same id replace each other.
                yield {"type": QUEUE_PART, "id": "queue", "data": data["queue"], "transient": True}
            case "delta" | "reasoning":
                yield from self._grow("text" if name == "delta" else "reasoning", data["text"])
            case "tool":
                yield from self._tool(data)
            case "data":
                yield from self._begin_step()
                yield {"type": f"data-{data.get('name') or 'custom'}", "data": data["data"]}
            case "reset":
                yield from self._reset()
            case "done":
                yield from self._end(data["turn"])

    def _begin_step(self) -> Iterator[Chunk]:
        if not self._has_step:
            self._has_step = True
            yield {"type": "start-step"}

    def _grow(self, kind: str, text: str) -> Iterator[Chunk]:
        yield from self._begin_step()
        if self._open != kind:
            yield from self._close_part()
            self._open = kind
            self._parts += 1
            yield {"type": f"{kind}-start", "id": self._part_id}
        if kind == "text":
            self._text += text
        yield {"type": f"{kind}-delta", "id": self._part_id, "delta": text}

    def _close_part(self) -> Iterator[Chunk]:
        if self._open:
            yield {"type": f"{self._open}-end", "id": self._part_id}
            self._open = None

    @property
    def _part_id(self) -> str:
        return f"{self._turn_id}-{self._parts}"

    def _tool(self, data: Any) -> Iterator[Chunk]:
        yield from self._begin_step()
        yield from self._close_part()
        about = {"toolCallId": data["call_id"], "dynamic": True, "providerExecuted": True}
        match data["state"]:
            case "started":
                given = data.get("arguments")
                yield {"type": "tool-input-available", **about, "toolName": data["name"], "input": given or {}}
            case "finished":
                yield {"type": "tool-output-available", **about, "output": data.get("result")}
            case _:
                yield {"type": "tool-output-error", **about, "errorText": "The tool failed."}

    def _reset(self) -> Iterator[Chunk]:
        if not self._has_step:
            return
        self._open, self._text = None, ""
        if self._can_reset:
            yield {"type": "reset-step"}
        else:
            self.has_ended = True
            yield {"type": "error", "errorText": WITHDRAWN}

    def _end(self, turn: Any) -> Iterator[Chunk]:
        """Yield the part of the answer that was not sent, and the end."""
        if turn and turn["output"]:
            yield from self._complete(turn["output"]["content"])
            yield from self._images(turn["output"].get("parts") or ())
        if self.has_ended:
            return
        self.has_ended = True
        yield from self._close_part()
        if self._has_step:
            yield {"type": "finish-step"}
        yield _outcome(turn)

    def _complete(self, answer: str) -> Iterator[Chunk]:
        if not answer.startswith(self._text):
            yield from self._reset()
        if not self.has_ended and answer != self._text:
            yield from self._grow("text", answer.removeprefix(self._text))

    def _images(self, parts: Iterable[Any]) -> Iterator[Chunk]:
        for part in parts:
            if part["type"] == "image" and not self.has_ended:
                yield from self._begin_step()
                yield from self._close_part()
                yield {"type": "file", "url": file_url(part), "mediaType": part.get("media_type") or ANY_IMAGE}


def _outcome(turn: Any) -> Chunk:
    if turn is None:
        return {"type": "error", "errorText": ERASED}
    match turn["status"]:
        case "failed":
            return {"type": "error", "errorText": turn["error"]["message"]}
        case "cancelled":
            return {"type": "abort", "reason": CANCELLED}
        case "incomplete":
            return {"type": "finish", "finishReason": "length" if turn["status_reason"] == "length" else "other"}
    return {"type": "finish", "finishReason": "stop"}
