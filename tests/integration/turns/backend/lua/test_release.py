from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to, events
from tests.support.server import Server
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
Hints = Callable[[], list[str]]


def test_a_released_turn_is_dispatched_with_the_same_attempt(
    accept: Accept, claim: ClaimTurn, store: TurnStore, hints: Hints
) -> None:
    turn = accept()
    old = claim(turn)
    hints()
    store.release(turn.id, token=old.token)
    assert hints() == [turn.id]
    assert (store.get_turn(turn.id).status, store.get_turn(turn.id).attempt) == (Status.QUEUED, 1)
    new = claim(turn)
    with pytest.raises(LeaseLost):
        store.commit(old, answer_to(old), tail="")
    store.commit(new, answer_to(new), tail="")


def test_a_head_that_was_not_claimed_is_dispatched_again(accept: Accept, store: TurnStore, hints: Hints) -> None:
    turn = accept()
    hints()
    store.release(turn.id)
    assert hints() == [turn.id]


def test_only_a_held_turn_or_a_dispatched_head_can_be_released(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, hints: Hints
) -> None:
    running, second, retrying = accept(), accept(), accept(session_id="r")
    claim(running)
    store.retry(claim(retrying), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    hints()
    for turn in (running, second, retrying):
        store.release(turn.id)
    store.release(running.id, token="stale")
    store.release("turn_" + "0" * 32)
    assert hints() == []
    assert events(server, running) == [("1-0", "status")]
