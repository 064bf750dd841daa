"""The events of a turn as those of a response, with the same sequence numbers from any process.

A sequence number follows from the id of the native event, never from how many events were sent: the text may arrive in
pieces of any size. The number n of a native event in its run has `STRIDE` sequence numbers: its delta has the first
one, and what ends and begins at this place has the others. So they rise, but not by one.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from turns.domain.state import Status
from turns.domain.turn import Turn
from web.streaming.connections import KEEP_ALIVE
from web.surfaces.native_events import NativeEvent
from web.surfaces.openai.content import text_content
from web.surfaces.openai.responses.output import message_item, output_id, reasoning_item, tool_item
from web.surfaces.openai.responses.views import as_accepted, to_response

STRIDE = 16
CREATED, QUEUED, IN_PROGRESS = range(3)  # sequence numbers of the events before the first run
DELTA, CLOSE, OPEN, CLOSE_TOOL, END = 0, 1, 4, 6, 14  # places in a stride, of which `CLOSE` has 3 and `OPEN` 2
PARTS = {"message": "output_text", "reasoning": "reasoning_text"}
ENDS = {Status.COMPLETED: "response.completed", Status.FAILED: "response.failed"}
ERASED = {"code": "response_deleted", "message": "The conversation was erased.", "param": None}

Event = dict[str, Any]


def to_event_stream(
    events: Iterable[NativeEvent], turn: Turn, get_turn: Callable[[], Turn | None], *, after: int = -1
) -> Iterator[bytes]:
    """Yield the events after this sequence number. `get_turn` returns the turn when it has ended, None if it is gone.

    A stream without `response.completed`, `failed` or `incomplete` was cut off; the client resumes it.
    """
    stream = ResponseStream(turn, get_turn, after=after)
    yield from map(_render, stream.begin())
    for event in events:
        if event.type:
            yield from map(_render, stream.project(event))
        else:
            yield KEEP_ALIVE


def _render(event: Event) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event, ensure_ascii=False)}\n\n".encode()


class Item:
    """An item of the output while it grows."""

    def __init__(self, kind: str, name: str, index: int) -> None:
        self.kind = kind
        self.name = name
        self.index = index
        self.text = ""
        self.tool: dict[str, Any] = {}

    def to_body(self, status: str) -> dict[str, Any]:
        if self.kind == "mcp_call":
            return tool_item(self.name, self.tool)
        return (message_item if self.kind == "message" else reasoning_item)(self.name, self.text, status)


class ResponseStream:
    """The events of one response for one reader, who has seen those up to the sequence number `after`."""

    def __init__(self, turn: Turn, get_turn: Callable[[], Turn | None], *, after: int) -> None:
        self._turn = turn
        self._get_turn = get_turn
        self._after = after
        self._base = STRIDE  # the sequence number of the place 0 of the run
        self._run = 1
        self._number = 0  # the number of the last native event in the run
        self._is_running = False
        self._items = 0  # of all runs
        self._run_items = 0
        self._open: Item | None = None
        self._tools: dict[str, Item] = {}
        self._text = ""  # of the run

    def begin(self) -> Iterator[Event]:
        accepted = to_response(as_accepted(self._turn))
        yield from self._send("response.created", CREATED, response=accepted)
        yield from self._send("response.queued", QUEUED, response=accepted)

    def project(self, event: NativeEvent) -> Iterator[Event]:
        """Yield the events for a native event."""
        run, number = map(int, event.id.split("-")) if event.id else (self._run, 0)
        self._run = max(run, self._run)
        match event.type:
            case "status" if event.data["status"] == Status.IN_PROGRESS and not self._is_running:
                self._is_running = True
                begun = to_response(as_accepted(self._turn, Status.IN_PROGRESS))
                yield from self._send("response.in_progress", IN_PROGRESS, response=begun)
            case "delta":
                yield from self._grow("message", event.data["text"], number - len(event.data["text"]), number)
            case "reasoning":
                yield from self._grow("reasoning", event.data["text"], number - 1, number)
            case "tool":
                yield from self._change_tool(event.data, number)
            case "data":
                self._number = number
            case "reset":
                yield from self._withdraw(number)
            case "done":
                yield from self._end(event, number)

    def _grow(self, kind: str, text: str, start: int, number: int) -> Iterator[Event]:
        item = self._open
        if item is None or item.kind != kind:
            yield from self._close(start)
            item = self._open = self._new_item(kind)
            yield from self._begin_text(item, start)
        self._number = number
        item.text += text
        if kind == "message":
            self._text += text
            text = text[max(0, (self._after - self._base) // STRIDE - start) :]  # without what the reader has seen
        name = "response.output_text.delta" if kind == "message" else "response.reasoning_text.delta"
        yield from self._send_content(name, self._at(number, DELTA), item, delta=text, **_logprobs(kind))

    def _begin_text(self, item: Item, start: int) -> Iterator[Event]:
        yield from self._send_item("added", self._at(start, OPEN), item, "in_progress")
        yield from self._send_content(
            "response.content_part.added", self._at(start, OPEN + 1), item, part=_part(item.kind, "")
        )

    def _close(self, number: int, status: str = "completed") -> Iterator[Event]:
        """Yield the end of the text that grows."""
        item, self._open = self._open, None
        if item is None:
            return
        name = f"response.{PARTS[item.kind]}.done"
        yield from self._send_content(name, self._at(number, CLOSE), item, text=item.text, **_logprobs(item.kind))
        part = _part(item.kind, item.text)
        yield from self._send_content("response.content_part.done", self._at(number, CLOSE + 1), item, part=part)
        yield from self._send_item("done", self._at(number, CLOSE + 2), item, status)

    def _change_tool(self, tool: dict[str, Any], number: int) -> Iterator[Event]:
        yield from self._close(number - 1)
        self._number = number
        if tool["state"] == "started":
            item = self._tools[tool["call_id"]] = self._new_item("mcp_call")
            item.tool = dict(tool)
            yield from self._send_item("added", self._at(number, DELTA), item, "in_progress")
        elif tool["call_id"] in self._tools:
            item = self._tools.pop(tool["call_id"])
            item.tool |= {name: value for name, value in tool.items() if value is not None}
            yield from self._send_item("done", self._at(number, DELTA), item, "completed")

    def _withdraw(self, number: int) -> Iterator[Event]:
        """Yield the end of the items of a run that has ended without effect, whose text is void.

        The protocol cannot take them back, so they are incomplete and empty, and the next run has other items.
        A reader of an ended turn gets the item too, because the sequence numbers and indexes shall be the same.
        """
        if number > 1 and not self._run_items:
            self._open = self._new_item("message")
            yield from self._begin_text(self._open, 0)
        if self._open:
            self._open.text = ""
        yield from self._close(number, "incomplete")
        yield from self._close_tools(number)
        self._base = self._at(number + 1, 0)
        self._number = self._run_items = 0
        self._text = ""

    def _close_tools(self, number: int) -> Iterator[Event]:
        for n, item in enumerate(self._tools.values()):
            item.tool["state"] = "failed"
            yield from self._send_item("done", self._at(number, min(CLOSE_TOOL + n, END - 1)), item, "incomplete")
        self._tools.clear()

    def _end(self, event: NativeEvent, number: int) -> Iterator[Event]:
        turn = None if event.data["turn"] is None else self._get_turn()
        if turn is None:
            yield from self._send("error", max(self._at(self._number + 1, END), self._after + 1), **ERASED)
            return
        if turn.output is not None:
            yield from self._complete(turn.output)
        number = max(number, self._number + 1)
        yield from self._close(number, "completed" if turn.status is Status.COMPLETED else "incomplete")
        yield from self._close_tools(number)
        end = self._at(number, END)
        # The record alone may have fewer events than the stream had, so a cursor may be after the end.
        end = self._after + 1 if self._after > end else end
        yield from self._send(ENDS.get(turn.status, "response.incomplete"), end, response=to_response(turn))

    def _complete(self, answer: str) -> Iterator[Event]:
        """Yield the part of the answer that was not sent."""
        if not answer.startswith(self._text):
            yield from self._withdraw(self._number + 1)
        if missing := answer.removeprefix(self._text):
            yield from self._grow("message", missing, self._number, self._number + len(missing))

    def _new_item(self, kind: str) -> Item:
        item = Item(kind, output_id(self._turn.id, kind, self._run, self._run_items), self._items)
        self._items += 1
        self._run_items += 1
        return item

    def _at(self, number: int, place: int) -> int:
        return self._base + STRIDE * number + place

    def _send_item(self, what: str, at: int, item: Item, status: str) -> Iterator[Event]:
        body = item.to_body(status)
        yield from self._send(f"response.output_item.{what}", at, output_index=item.index, item=body)

    def _send_content(self, name: str, at: int, item: Item, **more: Any) -> Iterator[Event]:
        yield from self._send(name, at, item_id=item.name, output_index=item.index, content_index=0, **more)

    def _send(self, name: str, at: int, **more: Any) -> Iterator[Event]:
        if at > self._after:
            yield {"type": name, "sequence_number": at, **more}


def _logprobs(kind: str) -> dict[str, list[Any]]:
    """Return the field that an event of an answer's text must have."""
    return {"logprobs": []} if kind == "message" else {}


def _part(kind: str, text: str) -> dict[str, Any]:
    return text_content(text) if kind == "message" else {"type": "reasoning_text", "text": text}
