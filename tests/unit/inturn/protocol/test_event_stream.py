"""What a reader is told, whatever the connections do; the connections are played here, one outcome after the other."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from inturn.errors import ServiceBroken, TurnNotFound, Unreachable
from inturn.events import Delta, Done, Reset, StatusChanged
from inturn.protocol.event_stream import Watch
from inturn.protocol.parsing import turn_fields
from inturn.protocol.requests import Answer
from inturn.protocol.retry import RETRIES_WHILE_WAITING, Persistence
from inturn.protocol.steps import Effect, Emit, Lost, Next, Open, Outcome, Pause, Send, ServerSent
from inturn.values import Json, TurnData

ONE_RETRY = Persistence(max_retries=1, chance=lambda: 0.0, clock=lambda: 0.0)
OPENED = Answer(status=200, headers={"content-type": "text/event-stream; charset=utf-8"})
ENDED = Answer(status=204, headers={})
BROKEN = Lost("cut")
FULL = Answer(status=503, headers={"retry-after": "5"}, body=b'{"code": "streams_full"}')
STATUS = {"status": "in_progress", "queue": None}


def turn_json(status: str = "completed", output: str | None = "hello world") -> Json:
    names = ("user_id", "status_reason", "model", "usage", "error", "queue", "retry_of")
    instants = ("started_at", "finished_at", "expires_at")
    said = {"role": "assistant", "content": output}
    return {
        **dict.fromkeys((*names, *instants)),
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
        "output": None if output is None else said,
    }


def sent(event: str, data: Any, event_id: str = "") -> ServerSent:
    return ServerSent(event=event, data=json.dumps(data), id=event_id)


def done(**about: Any) -> ServerSent:
    return sent("done", {"turn": turn_json(**about)}, "1-9")


def delta(text: str, event_id: str) -> ServerSent:
    return sent("delta", {"text": text}, event_id)


def play(*outcomes: Outcome) -> tuple[list[Any], list[Effect]]:
    """What is emitted, and what was to be done for it."""
    flow = Watch("turn_1", lambda body: TurnData(**turn_fields(body)), ONE_RETRY).follow()
    told: list[Any] = []
    effects: list[Effect] = []
    rest: Iterator[Outcome] = iter(outcomes)
    outcome: Outcome = None
    while True:
        try:
            step = flow.send(outcome)
        except StopIteration:
            return told, effects
        outcome = None
        if isinstance(step, Emit):
            told.append(step.item)
        else:
            effects.append(step)
            outcome = None if isinstance(step, Pause) else next(rest)


def text(told: list[Any]) -> str:
    """As a reader has it in the end."""
    now = ""
    for event in told:
        match event:
            case Delta(piece):
                now += piece
            case Reset():
                now = ""
    return now


def asked_after(effects: list[Effect]) -> list[str | None]:
    return [effect.call.query.get("after") for effect in effects if isinstance(effect, Open)]


def test_a_stream_is_told_until_done() -> None:
    told, effects = play(OPENED, sent("status", STATUS), delta("hello ", "1-1"), delta("world", "1-2"), done())
    assert [type(event) for event in told] == [StatusChanged, Delta, Delta, Done]
    assert told[-1].turn.text == text(told) == "hello world"
    assert not [effect for effect in effects if isinstance(effect, Pause)]


def test_a_broken_connection_is_resumed_after_the_last_event_and_nothing_is_told_twice() -> None:
    status = sent("status", STATUS)
    told, effects = play(OPENED, status, delta("hello ", "1-1"), BROKEN, OPENED, status, delta("world", "1-2"), done())
    assert asked_after(effects) == [None, "1-1"]
    assert [type(event) for event in told] == [StatusChanged, Delta, Delta, Done]


def test_a_reset_drops_the_text() -> None:
    told, _ = play(
        OPENED, delta("half", "1-1"), sent("reset", {"reason": "rescue"}, "1-2"), delta("hello world", "2-1"), done()
    )
    assert Reset("rescue") in told
    assert text(told) == "hello world"


def test_events_that_are_no_longer_kept_are_made_up_from_the_turn() -> None:
    assert text(play(OPENED, done())[0]) == "hello world"
    assert text(play(OPENED, delta("hello", "1-1"), done())[0]) == "hello world"


def test_text_that_the_turn_does_not_begin_with_is_replaced() -> None:
    told, _ = play(OPENED, delta("goodbye", "1-1"), done())
    assert Reset("replaced") in told
    assert text(told) == "hello world"


def test_where_there_is_no_place_for_a_stream_a_long_poll_brings_the_answer_at_once() -> None:
    told, effects = play(FULL, Answer(status=200, headers={}, body=json.dumps(turn_json()).encode()))
    assert [type(effect) for effect in effects] == [Open, Send]
    assert text(told) == "hello world"
    assert isinstance(told[-1], Done)


def test_a_stream_that_broke_right_before_done_is_ended_from_the_turn() -> None:
    turn = Answer(status=200, headers={}, body=json.dumps(turn_json()).encode())
    told, _ = play(OPENED, delta("hello world", "1-1"), BROKEN, ENDED, turn)
    assert [type(event) for event in told] == [Delta, Done]


def test_a_turn_without_an_answer_adds_no_text() -> None:
    told, _ = play(OPENED, done(status="cancelled", output=None))
    assert [type(event) for event in told] == [Done]


def test_a_turn_whose_session_was_deleted_is_not_found() -> None:
    with pytest.raises(TurnNotFound):
        play(OPENED, sent("done", {"turn": None}, "1-1"))


def test_events_that_this_version_does_not_know_are_passed_over() -> None:
    assert len(play(OPENED, sent("mood", {}, "1-1"), ServerSent("message", "", ""), done())[0]) == 2


def test_nonsense_is_no_event() -> None:
    with pytest.raises(ServiceBroken):
        play(OPENED, ServerSent("delta", "{", "1-1"))


def test_a_page_is_no_stream() -> None:
    with pytest.raises(ServiceBroken, match="Is the URL right"):
        play(Answer(status=200, headers={"content-type": "text/html"}))


def test_who_is_told_nothing_new_again_and_again_waits_without_a_stream() -> None:
    """As for a turn that waits longer than a proxy lets any stream last."""
    nothing: list[Outcome] = [OPENED, sent("status", STATUS), BROKEN] * (RETRIES_WHILE_WAITING + 1)
    turn = Answer(status=200, headers={}, body=json.dumps(turn_json()).encode())
    told, _ = play(*nothing, turn)
    assert [type(event) for event in told] == [StatusChanged, Delta, Done]


def test_who_is_told_nothing_new_and_then_not_answered_gives_up() -> None:
    nothing: list[Outcome] = [OPENED, BROKEN] * (RETRIES_WHILE_WAITING + 1)
    with pytest.raises(Unreachable, match="cut"):
        play(*nothing, *[BROKEN] * (RETRIES_WHILE_WAITING + 1))


def test_any_progress_makes_it_patient_again() -> None:
    nothing: list[Outcome] = [OPENED, BROKEN] * RETRIES_WHILE_WAITING
    assert (
        text(play(*nothing, OPENED, delta("hello ", "1-1"), BROKEN, *nothing[:-2], OPENED, done())[0]) == "hello world"
    )


def test_the_effects_are_all_known() -> None:
    _, effects = play(OPENED, BROKEN, OPENED, done())
    assert {type(effect) for effect in effects} == {Open, Next, Pause}
