"""Tests of the end of an event stream: it is deleted if its events follow from the record, and kept if not."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to, events
from tests.support.server import Server
from turns.backend import keys
from turns.domain.error_codes import Code
from turns.domain.events import START, TurnEvent
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.turn import Turn
from turns.store.event_stream.folded_events import folded_end, folded_events, is_folded
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]

PIECES = ("Grüße ", "from ", "the model.")
TEXT = "".join(PIECES)


def emit(store: TurnStore, claim: Claim, *pieces: str) -> None:
    start = 0
    for piece in pieces:
        store.emit([claim.delta(start, piece)])
        start += len(piece)


def answer(claim: Claim) -> Answer:
    return replace(answer_to(claim), output=TEXT)


def shown(found: list[TurnEvent]) -> list[tuple[str, int, str, str]]:
    return [(event.id, event.attempt, event.type, event.text) for event in found]


def test_a_committed_turn_has_its_events_in_the_record(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    emit(store, claimed, *PIECES[:-1])
    store.commit(claimed, answer(claimed), tail=PIECES[-1], keeps_events=False)
    assert events(server, turn) == []
    ended = store.get_turn(turn.id)
    assert is_folded(ended)
    assert shown(folded_events(ended, after=START)) == [
        ("1-0", 1, "status", "in_progress"),
        (f"1-{len(TEXT)}", 1, "delta", TEXT),
        (f"1-{len(TEXT) + 1}", 1, "done", "completed"),
    ]


def test_a_reader_misses_nothing_from_any_cursor(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    emit(store, claimed, *PIECES)
    cursors = {event.id: event.text for event in store.read_events(turn.id, after=START) if event.type == "delta"}
    store.commit(claimed, answer(claimed), tail="", keeps_events=False)
    ended, seen = store.get_turn(turn.id), ""
    for cursor, piece in cursors.items():
        seen += piece
        rest = [event.text for event in folded_events(ended, after=cursor) if event.type == "delta"]
        assert seen + "".join(rest) == TEXT
    assert folded_events(ended, after=folded_end(ended)) == []


def test_the_runs_before_the_last_one_end_in_a_reset(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    first = claim(turn)
    emit(store, first, "half")
    store.retry(first, Code.INCOMPLETE_ANSWER, Retry(after_seconds=0), model="m")
    second = claim(turn)
    emit(store, second, "less")
    store.release(turn.id, token=second.token)
    last = claim(turn)
    live = [event for event in store.read_events(turn.id, after=START) if event.type != "delta"]
    store.commit(last, answer(last), tail=TEXT, keeps_events=False)
    folded = folded_events(store.get_turn(turn.id), after=START)
    assert folded[:-2] == live
    assert [(event.type, event.text) for event in folded[-2:]] == [("delta", TEXT), ("done", "completed")]
    assert folded_events(store.get_turn(turn.id), after="1-2")[0].type == "reset", "its text is void"


def test_an_interrupted_turn_is_folded_too(accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server) -> None:
    turn = accept()
    claimed = claim(turn)
    emit(store, claimed, *PIECES[:-1])
    for _ in range(2):  # the reply of the first run was lost
        store.interrupt(claimed, answer(claimed), tail=PIECES[-1], keeps_events=False)
    assert events(server, turn) == []
    assert [event.text for event in folded_events(store.get_turn(turn.id), after="1-6")] == [TEXT[6:], "incomplete"]


def test_a_run_with_other_events_keeps_its_stream(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    emit(store, claimed, "another text")
    store.commit(claimed, answer(claimed), tail="!")
    assert not is_folded(store.get_turn(turn.id))
    assert [text for _, text in events(server, turn)] == ["status", "another text", "!", "done"]
    assert server.raw.pttl(keys.EVENTS(turn.id)) > 0


def test_a_failed_turn_keeps_its_partial_text(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    emit(store, claimed, "half")
    store.fail(claimed, Code.PROVIDER_ERROR)
    assert not is_folded(store.get_turn(turn.id))
    assert [text for _, text in events(server, turn)] == ["status", "half", "done"]


def test_a_turn_that_never_ran_has_no_stream(accept: Accept, store: TurnStore, server: Server) -> None:
    turn = accept()
    cancelled = store.cancel(turn.id)
    assert not server.raw.exists(keys.EVENTS(turn.id))
    assert is_folded(cancelled)
    assert shown(folded_events(cancelled, after=START)) == [("0-1", 1, "done", "cancelled")]


@pytest.mark.parametrize("tail", ["", TEXT])
def test_the_first_text_is_timed_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, tail: str
) -> None:
    claimed = claim(accept())
    emit(store, claimed, *([] if tail else PIECES))
    store.commit(claimed, answer(claimed), tail=tail, keeps_events=False)
    counted = server.raw.hgetall(keys.METRICS.name)
    assert sum(int(n) for name, n in counted.items() if name.startswith(b"first_token|") and b"sum" not in name) == 1


def test_a_record_of_an_older_release_has_no_events(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    """Its cursors are not positions in the text."""
    turn = accept()
    claimed = claim(turn)
    store.commit(claimed, answer(claimed), tail=TEXT)
    server.raw.delete(keys.EVENTS(turn.id))
    assert not is_folded(store.get_turn(turn.id))
