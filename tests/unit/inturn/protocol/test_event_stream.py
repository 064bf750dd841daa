"""Streaming across connections, which are simulated here by a list of effect results."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inturn.errors import ServiceBroken, TurnNotFound, Unreachable
from inturn.events import DataSent, Delta, Done, Reasoning, Reset, StatusChanged, ToolCalled
from inturn.protocol.event_stream import EventStream
from inturn.protocol.parsing import turn_fields
from inturn.protocol.requests import Response
from inturn.protocol.retry import WAITING_RETRIES, RequestRetryPolicy
from inturn.protocol.steps import (
    Effect,
    EffectResult,
    Emit,
    OpenStream,
    ReadEvent,
    Send,
    ServerSentEvent,
    Sleep,
    TransportFailure,
)
from inturn.values import Json, TurnData

ONE_RETRY = RequestRetryPolicy(max_retries=1, random=lambda: 0.0, clock=lambda: 0.0)
OPENED = Response(status=200, headers={"content-type": "text/event-stream; charset=utf-8"})
ENDED = Response(status=204, headers={})
BROKEN = TransportFailure("cut")
FULL = Response(
    status=503,
    headers={"retry-after": "5"},
    body=b'{"type": "urn:inturn:problem:streams_full", "code": "streams_full"}',
)
STATUS = {"status": "in_progress", "queue": None}


def turn_json(status: str = "completed", output: str | None = "hello world") -> Json:
    names = (
        "user_id",
        "status_reason",
        "model",
        "usage",
        "error",
        "queue",
        "retry_of",
        "regenerates",
        "superseded_by",
        "forked_from",
    )
    times = ("started_at", "finished_at", "expires_at")
    answer = {"role": "assistant", "content": output}
    return {
        **dict.fromkeys((*names, *times)),
        "id": "turn_1",
        "session_id": "s",
        "sequence": 1,
        "attempt": 1,
        "assistant": "default",
        "lane": "batch",
        "input": "hi",
        "accepted_at": "2026-11-25T08:00:00.000Z",
        "metadata": {},
        "status": status,
        "output": None if output is None else answer,
    }


def sent(event: str, data: Any, event_id: str = "") -> ServerSentEvent:
    return ServerSentEvent(event=event, data=json.dumps(data), id=event_id)


def done(**fields: Any) -> ServerSentEvent:
    return sent("done", {"turn": turn_json(**fields)}, "1-9")


def delta(text: str, event_id: str) -> ServerSentEvent:
    return sent("delta", {"text": text}, event_id)


def play(*results: EffectResult, after: str | None = None) -> tuple[list[Any], list[Effect]]:
    """Return the emitted events and the requested effects."""
    steps = EventStream("turn_1", lambda body: TurnData(**turn_fields(body)), ONE_RETRY, after=after).read()
    emitted: list[Any] = []
    effects: list[Effect] = []
    remaining: Iterator[EffectResult] = iter(results)
    result: EffectResult = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration:
            return emitted, effects
        result = None
        if isinstance(step, Emit):
            emitted.append(step.item)
        else:
            effects.append(step)
            result = None if isinstance(step, Sleep) else next(remaining)


def text(emitted: list[Any]) -> str:
    """Return the text that a reader has at the end."""
    received = ""
    for event in emitted:
        match event:
            case Delta(piece):
                received += piece
            case Reset():
                received = ""
    return received


def cursors(effects: list[Effect]) -> list[str | None]:
    return [effect.request.query.get("after") for effect in effects if isinstance(effect, OpenStream)]


def test_events_are_emitted_until_done() -> None:
    emitted, effects = play(OPENED, sent("status", STATUS), delta("hello ", "1-1"), delta("world", "1-2"), done())
    assert [type(event) for event in emitted] == [StatusChanged, Delta, Delta, Done]
    assert emitted[-1].turn.text == text(emitted) == "hello world"
    assert not [effect for effect in effects if isinstance(effect, Sleep)]


def test_events_beside_the_text_are_emitted_at_their_places() -> None:
    tool = {"call_id": "c1", "name": "clock", "state": "started", "arguments": None}
    emitted, _ = play(
        OPENED,
        sent("reasoning", {"text": "Which time?"}, "1-1"),
        sent("tool", tool, "1-2"),
        sent("tool", {**tool, "state": "finished", "result": "noon"}, "1-3"),
        sent("data", {"name": "progress", "data": [1]}, "1-4"),
        delta("hello world", "1-5"),
        done(),
    )
    assert emitted[:-1] == [
        Reasoning("Which time?"),
        ToolCalled("c1", "clock", "started"),
        ToolCalled("c1", "clock", "finished", result="noon"),
        DataSent("progress", [1]),
        Delta("hello world"),
    ]


def test_a_broken_connection_resumes_without_duplicates() -> None:
    status = sent("status", STATUS)
    first_connection = (OPENED, status, delta("hello ", "1-1"), BROKEN)
    emitted, effects = play(*first_connection, OPENED, status, delta("world", "1-2"), done())
    assert cursors(effects) == [None, "1-1"]
    assert [type(event) for event in emitted] == [StatusChanged, Delta, Delta, Done]


def test_a_reset_drops_the_text() -> None:
    emitted, _ = play(
        OPENED, delta("half", "1-1"), sent("reset", {"reason": "rescue"}, "1-2"), delta("hello world", "2-1"), done()
    )
    assert Reset("rescue") in emitted
    assert text(emitted) == "hello world"


def test_expired_events_are_replaced_by_the_text_of_the_turn() -> None:
    assert text(play(OPENED, done())[0]) == "hello world"
    assert text(play(OPENED, delta("hello", "1-1"), done())[0]) == "hello world"


def test_text_that_contradicts_the_final_answer_is_replaced() -> None:
    emitted, _ = play(OPENED, delta("goodbye", "1-1"), done())
    assert Reset("replaced") in emitted
    assert text(emitted) == "hello world"


def test_a_long_poll_replaces_a_stream_if_there_are_too_many() -> None:
    emitted, effects = play(FULL, Response(status=200, headers={}, body=json.dumps(turn_json()).encode()))
    assert [type(effect) for effect in effects] == [OpenStream, Send]
    assert text(emitted) == "hello world"
    assert isinstance(emitted[-1], Done)


def test_a_reader_continues_after_an_event_of_another_one() -> None:
    emitted, effects = play(OPENED, delta(" world", "1-2"), done(), after="1-1")
    assert cursors(effects) == ["1-1"]
    assert [(type(event), event.id) for event in emitted] == [(Delta, "1-2"), (Done, "1-9")]
    assert emitted[0] == Delta(" world"), "events are compared by their content"


def test_a_reader_in_the_middle_who_gets_no_events_gets_all_text() -> None:
    turn = Response(status=200, headers={}, body=json.dumps(turn_json()).encode())
    emitted, _ = play(FULL, turn, after="1-1")
    assert [type(event) for event in emitted] == [Reset, Delta, Done]
    assert text(emitted) == "hello world"
    emitted, _ = play(ENDED, turn, after="1-9")
    assert [type(event) for event in emitted] == [Done], "it has seen all events"


def test_a_stream_that_broke_just_before_done_is_completed() -> None:
    turn = Response(status=200, headers={}, body=json.dumps(turn_json()).encode())
    emitted, _ = play(OPENED, delta("hello world", "1-1"), BROKEN, ENDED, turn)
    assert [type(event) for event in emitted] == [Delta, Done]


def test_a_turn_without_an_answer_adds_no_text() -> None:
    emitted, _ = play(OPENED, done(status="cancelled", output=None))
    assert [type(event) for event in emitted] == [Done]


def test_a_turn_whose_session_was_deleted_is_not_found() -> None:
    with pytest.raises(TurnNotFound):
        play(OPENED, sent("done", {"turn": None}, "1-1"))


def test_unknown_events_are_ignored() -> None:
    assert len(play(OPENED, sent("mood", {}, "1-1"), ServerSentEvent("message", "", ""), done())[0]) == 2


def test_an_invalid_event_is_an_error() -> None:
    with pytest.raises(ServiceBroken):
        play(OPENED, ServerSentEvent("delta", "{", "1-1"))


def test_an_html_page_is_not_a_stream() -> None:
    with pytest.raises(ServiceBroken, match="Is the URL right"):
        play(Response(status=200, headers={"content-type": "text/html"}))


def test_a_long_poll_follows_many_connections_without_progress() -> None:
    """A proxy may limit the duration of streams, so that a waiting turn never gets a new event."""
    no_progress: list[EffectResult] = [OPENED, sent("status", STATUS), BROKEN] * (WAITING_RETRIES + 1)
    turn = Response(status=200, headers={}, body=json.dumps(turn_json()).encode())
    emitted, _ = play(*no_progress, turn)
    assert [type(event) for event in emitted] == [StatusChanged, Delta, Done]


def test_it_gives_up_if_the_long_poll_fails_too() -> None:
    no_progress: list[EffectResult] = [OPENED, BROKEN] * (WAITING_RETRIES + 1)
    with pytest.raises(Unreachable, match="cut"):
        play(*no_progress, *[BROKEN] * (WAITING_RETRIES + 1))


def test_progress_resets_the_count_of_connections() -> None:
    no_progress: list[EffectResult] = [OPENED, BROKEN] * WAITING_RETRIES
    progress: list[EffectResult] = [OPENED, delta("hello ", "1-1"), BROKEN]
    emitted, _ = play(*no_progress, *progress, *no_progress[:-2], OPENED, done())
    assert text(emitted) == "hello world"


def test_only_known_effects_are_requested() -> None:
    _, effects = play(OPENED, BROKEN, OPENED, done())
    assert {type(effect) for effect in effects} == {OpenStream, ReadEvent, Sleep}
