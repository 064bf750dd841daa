"""Streaming a session across connections, which are simulated as in the tests of the stream of a turn."""

from typing import Any

import pytest

from inturn.errors import ServiceBroken
from inturn.events import Accepted, Delta, Done, Erased, QueueChanged, Snapshot, StatusChanged
from inturn.protocol.parsing import turn_fields
from inturn.protocol.session_stream import SessionStream
from inturn.protocol.steps import Effect, EffectResult, Emit, OpenStream, Sleep
from inturn.values import Json, TurnData
from tests.unit.inturn.protocol.test_event_stream import BROKEN, ENDED, ONE_RETRY, OPENED, STATUS, sent, turn_json

SESSION: Json = {
    "session_id": "s",
    "user_id": None,
    "status": "busy",
    "running_turn": "turn_1",
    "queued_turns": [],
    "message_count": 0,
    "last_active_at": None,
}


def snapshot(reason: str = "opened", event_id: str = "1") -> Any:
    turns = [turn_json("in_progress", None)]
    return sent("snapshot", {"reason": reason, "session": SESSION, "turns": turns, "text": "so far"}, event_id)


def play(*results: EffectResult, after: str | None = None) -> tuple[list[Any], list[Effect]]:
    """Return the emitted events and the requested effects, until the results are used up."""
    stream = SessionStream(
        "s",
        None,
        after=after,
        until_idle=True,
        build=lambda body: TurnData(**turn_fields(body)),
        retry_policy=ONE_RETRY,
    )
    steps, remaining = stream.read(), iter(results)
    emitted: list[Any] = []
    effects: list[Effect] = []
    result: EffectResult = None
    while True:
        try:
            step = steps.send(result)
        except StopIteration:
            return emitted, effects
        if isinstance(step, Emit):
            emitted.append(step.item)
            result = None
        else:
            effects.append(step)
            result = None if isinstance(step, Sleep) else next(remaining)


def test_events_name_their_turn_and_end_when_idle() -> None:
    emitted, _ = play(
        OPENED,
        snapshot(),
        sent("accepted", {"turn_id": "turn_1", "turn": turn_json("queued", None)}, "2"),
        sent("status", {"turn_id": "turn_1", **STATUS}, "3"),
        sent("delta", {"turn_id": "turn_1", "text": "hello"}, "4"),
        sent("done", {"turn_id": "turn_1", "turn": turn_json()}, "5"),
        sent("queue", {"turns": [{"turn_id": "turn_1", "queue": None}]}),
        BROKEN,
        ENDED,
    )
    assert [type(event.event) for event in emitted] == [Snapshot, Accepted, StatusChanged, Delta, Done, QueueChanged]
    assert [event.turn_id for event in emitted] == [None, *["turn_1"] * 4, None]
    assert [event.id for event in emitted] == ["1", "2", "3", "4", "5", "5"]
    assert (emitted[0].event.text, emitted[0].event.turns[0].id) == ("so far", "turn_1")
    assert emitted[3].raw == {"turn_id": "turn_1", "text": "hello"}


def test_each_connection_continues_after_the_last_event() -> None:
    emitted, effects = play(OPENED, BROKEN, OPENED, snapshot("events_gone", "9"), BROKEN, ENDED, after="7")
    cursors = [effect.request.query["after"] for effect in effects if isinstance(effect, OpenStream)]
    assert cursors == ["7", "7", "9"]
    assert emitted[0].event.is_gap


def test_an_erased_session_ends_the_stream() -> None:
    emitted, _ = play(
        OPENED,
        sent("done", {"turn_id": "turn_1", "turn": None}),
        sent("tomorrow", "a newer service sends more events"),
        sent("erased", {"session_id": "s"}),
    )
    assert [type(event.event) for event in emitted] == [Erased]


def test_a_broken_event_is_reported() -> None:
    with pytest.raises(ServiceBroken):
        play(OPENED, sent("accepted", {"turn_id": "turn_1"}))
