from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to, events
from tests.server import Server
from turns.errors import LeaseLost
from turns.store import TurnStore
from turns.turn import Claim, Turn

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]


def test_pieces_are_in_the_stream_in_order_and_the_commit_brings_the_last(
    accept: Accept, claim: Take, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit(claimed, 0, "Hel")
    store.emit(claimed, 1, "lo ")
    store.commit(claimed, answer_to(claimed), tail="you")
    assert events(server, turn) == [
        ("1-0", "status"),
        ("1-2", "Hel"),
        ("1-3", "lo "),
        ("1-4", "you"),
        ("1-5", "done"),
    ]


def test_a_piece_whose_reply_was_lost_is_in_the_stream_once(
    accept: Accept, claim: Take, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit(claimed, 0, "Hello")
    store.emit(claimed, 0, "Hello")
    assert events(server, turn) == [("1-0", "status"), ("1-2", "Hello")]


def test_a_stale_worker_cannot_emit(
    accept: Accept, claim: Take, lapse: Callable[[Turn], None], store: TurnStore, server: Server
) -> None:
    turn = accept()
    old = claim(turn)
    store.emit(old, 0, "old")
    lapse(turn)
    store.rescue(worker="", hint="")
    new = claim(turn)
    with pytest.raises(LeaseLost):
        store.emit(old, 1, "older")
    store.emit(new, 0, "new")
    assert events(server, turn) == [
        ("1-0", "status"),
        ("1-2", "old"),
        ("1-3", "status"),
        ("2-0", "reset"),
        ("2-1", "status"),
        ("2-2", "new"),
    ]
