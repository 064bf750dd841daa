from collections.abc import Callable

from tests.integration.conftest import answer_to, events
from tests.support.server import Server
from turns.backend.script_replies import Reply
from turns.domain.events import START, EventType
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def test_pieces_are_streamed_in_order_and_the_commit_adds_the_tail(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit([claimed.delta(0, "Hel")])
    store.emit([claimed.delta(3, "lo ")])
    store.commit(claimed, answer_to(claimed), tail="you")
    assert events(server, turn) == [
        ("1-0", "status"),
        ("1-3", "Hel"),
        ("1-6", "lo "),
        ("1-7", "you"),
        ("1-8", "done"),
    ]


def test_a_piece_whose_reply_was_lost_is_in_the_stream_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit([claimed.delta(0, "Hello")])
    store.emit([claimed.delta(0, "Hello")])
    assert events(server, turn) == [("1-0", "status"), ("1-5", "Hello")]


def test_events_beside_the_text_are_entries_of_their_types(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    pieces = [
        claimed.delta(0, "Hm.", EventType.REASONING),
        claimed.delta(1, "{}", EventType.TOOL),
        claimed.delta(2, "a"),
    ]
    assert store.emit(pieces) == store.emit(pieces) == [], "the second time has no effect"
    assert events(server, turn) == [("1-0", "status"), ("1-1", "reasoning"), ("1-2", "tool"), ("1-3", "a")]
    assert [event.text for event in store.read_events(turn.id, after="1-0")] == ["Hm.", "{}", "a"]


def test_a_stale_worker_cannot_emit(
    accept: Accept, claim: ClaimTurn, make_due: Callable[[Turn], None], store: TurnStore, server: Server
) -> None:
    turn = accept()
    old = claim(turn)
    store.emit([old.delta(0, "old")])
    make_due(turn)
    store.rescue(worker="", hint="")
    new = claim(turn)
    assert store.emit([old.delta(3, "older"), new.delta(0, "new")]) == [(old.token, Reply.LOST)]
    assert events(server, turn) == [
        ("1-0", "status"),
        ("1-3", "old"),
        ("1-4", "reset"),
        ("1-5", "status"),
        ("2-0", "status"),
        ("2-3", "new"),
    ]


def test_all_runs_of_a_worker_emit_in_one_call(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    turns = [accept(session_id=name) for name in ("a", "b")]
    claims = [claim(turn) for turn in turns]
    store.emit([claimed.delta(0, claimed.session) for claimed in claims])
    assert [events(server, turn)[-1] for turn in turns] == [("1-1", "a"), ("1-1", "b")]


def test_a_reader_continues_at_its_cursor(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit([claimed.delta(0, "Hel")])
    [status, delta] = store.read_events(turn.id, after=START)
    assert [(event.type, event.text) for event in (status, delta)] == [("status", "in_progress"), ("delta", "Hel")]
    assert store.read_events(turn.id, after=status.id) == [delta]
    assert store.read_events(turn.id, after=delta.id) == []
