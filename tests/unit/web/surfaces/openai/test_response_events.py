"""The events of a response, from the events of a turn."""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter

from tests.support.records import record
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.surfaces.native_events import NativeEvent
from web.surfaces.openai.responses.events import to_event_stream

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
TURN = replace(Turn.from_record("turn_" + "a" * 32, record(Status.COMPLETED)), claims=1, output="Hello you")
AGAIN = replace(TURN, claims=2)
RUNS = NativeEvent("status", {"status": "in_progress", "queue": None}, "1-0")
TOOL = {"call_id": "c1", "name": "clock"}


def delta(text: str, event_id: str) -> NativeEvent:
    return NativeEvent("delta", {"text": text}, event_id)


def done(event_id: str = "") -> NativeEvent:
    return NativeEvent("done", {"turn": {}}, event_id)


def read(events: Iterable[NativeEvent], turn: Turn | None = TURN, *, after: int = -1) -> list[Any]:
    """Return the events that a reader receives, each checked with the types of the client."""
    sent = [item.decode() for item in to_event_stream(events, TURN, lambda: turn, after=after)]
    bodies = [json.loads(item.partition("\ndata: ")[2]) for item in sent]
    assert [item.partition("\n")[0] for item in sent] == [f"event: {body['type']}" for body in bodies]
    return [EVENT.validate_json(json.dumps(body), strict=True) for body in bodies]


def text_of(events: Iterable[Any]) -> str:
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def final(events: Iterable[Any]) -> Any:
    """Return the response that the client's helper builds, which checks the order of the events."""
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=omit, text_format=omit)
    for event in events:
        state.handle_event(event)
    return state._completed_response


PIECES = [RUNS, delta("Hel", "1-3"), delta("lo ", "1-6"), delta("you", "1-9"), done("1-10")]
WHOLE = [RUNS, delta("Hello you", "1-9"), done("1-10")]
LIVE_RESTART = [
    RUNS,
    delta("Good", "1-4"),
    NativeEvent("reset", {}, "1-5"),
    delta("Hello", "2-5"),
    delta(" you", "2-9"),
    done("2-10"),
]
FOLDED_RESTART = [RUNS, NativeEvent("reset", {}, "1-5"), delta("Hello you", "2-9"), done("2-10")]


def test_an_answer_in_pieces_has_all_events() -> None:
    events = read(PIECES)
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "queued",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta"] * 3,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert final(events).output_text == text_of(events) == "Hello you"


@pytest.mark.parametrize(("live", "folded"), [(PIECES, WHOLE), (LIVE_RESTART, FOLDED_RESTART)])
def test_numbers_do_not_depend_on_pieces(live: list[NativeEvent], folded: list[NativeEvent]) -> None:
    turn = TURN if live is PIECES else AGAIN
    some, all_at_once = read(live, turn), read(folded, turn)
    numbers = [event.sequence_number for event in some]
    assert numbers == sorted(set(numbers))
    assert {event.sequence_number for event in all_at_once} <= set(numbers)
    others = [event for event in some if not event.type.endswith("delta")]
    assert others == [event for event in all_at_once if not event.type.endswith("delta")]


@pytest.mark.parametrize(("live", "folded"), [(PIECES, WHOLE), (LIVE_RESTART, FOLDED_RESTART)])
def test_a_reader_continues_after_any_event(live: list[NativeEvent], folded: list[NativeEvent]) -> None:
    turn = TURN if live is PIECES else AGAIN
    events = read(live, turn)
    for count in range(1, len(events) + 1):
        seen, cursor = events[:count], events[count - 1].sequence_number
        rest = read(folded, turn, after=cursor)
        assert all(event.sequence_number > cursor for event in rest)
        assert final([*seen, *rest]).output_text == "Hello you"
        last_item = {event.item_id for event in events if event.type.endswith("delta")}.intersection(
            {event.item.id for event in events[-2:] if event.type.endswith("item.done")}
        )
        deltas = [e for e in [*seen, *rest] if e.type.endswith("delta") and e.item_id in last_item]
        assert text_of(deltas) == "Hello you"


def test_the_items_of_a_dead_run_are_void() -> None:
    events = read(LIVE_RESTART, AGAIN)
    ended = [event for event in events if event.type == "response.output_item.done"]
    assert [(event.output_index, event.item.status) for event in ended] == [(0, "incomplete"), (1, "completed")]
    assert ended[0].item.content == []
    assert events[-1].response.output == [ended[1].item]
    assert final(events).output_text == "Hello you"


def test_reasoning_and_tools_are_items() -> None:
    stored: list[dict[str, Any]] = [
        {"type": "reasoning", "text": "hm so"},
        {"type": "tool", **TOOL, "state": "finished", "result": "noon"},
        {"type": "text", "start": 0, "end": 9},
    ]
    events = read(
        [
            RUNS,
            NativeEvent("reasoning", {"text": "hm "}, "1-1"),
            NativeEvent("reasoning", {"text": "so"}, "1-2"),
            NativeEvent("tool", {**TOOL, "state": "started", "arguments": None, "result": None}, "1-3"),
            NativeEvent("data", {"name": None, "data": 1}, "1-4"),
            NativeEvent("tool", {**TOOL, "state": "finished", "result": "noon"}, "1-5"),
            delta("Hello you", "1-14"),
            done("1-15"),
        ],
        replace(TURN, output_parts=stored),
    )
    ended = [event.item for event in events if event.type == "response.output_item.done"]
    assert [item.type for item in ended] == ["reasoning", "mcp_call", "message"]
    assert [event.sequence_number for event in events] == sorted({event.sequence_number for event in events})
    assert events[-1].response.output == ended
    assert final(events).output_text == "Hello you"


def test_the_record_has_what_the_stream_has_not() -> None:
    events = read([RUNS, done()])
    assert text_of(events) == final(events).output_text == "Hello you"
    late = read([RUNS, done()], after=10**6)
    assert [(event.type, event.sequence_number) for event in late] == [("response.completed", 10**6 + 1)]


@pytest.mark.parametrize(
    ("status", "name"),
    [("failed", "response.failed"), ("incomplete", "response.incomplete"), ("cancelled", "response.incomplete")],
)
def test_other_ends(status: str, name: str) -> None:
    code = "provider_error" if status == "failed" else None
    last = read([RUNS, done("1-1")], replace(TURN, status=Status(status), output=None, error_code=code))[-1]
    assert (last.type, last.response.status) == (name, status)


def test_an_erased_response_ends_with_an_error() -> None:
    [*_, last] = read([RUNS, NativeEvent("done", {"turn": None}, "1-1")])
    assert (last.type, last.code) == ("error", "response_deleted")
