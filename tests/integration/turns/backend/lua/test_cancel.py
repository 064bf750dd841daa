from collections.abc import Callable

import pytest

from tests.integration.conftest import history
from tests.support.server import Server
from turns.domain.errors import TurnExpired, TurnNotFound
from turns.domain.ids import new_turn_id
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def test_a_cancelled_queued_turn_leaves_its_session(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore
) -> None:
    first, second, third = accept(), accept(), accept()
    assert store.cancel(second.id).status is Status.CANCELLED
    commit(claim(first))
    claim(third)


def test_a_cancelled_running_turn_frees_its_session_at_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, hints: Callable[[], list[str]]
) -> None:
    first, second = accept(), accept()
    claim(first)
    hints()
    assert store.cancel(first.id).status is Status.CANCELLED
    assert hints() == [second.id]
    assert history(server) == []


def test_cancelling_an_ended_turn_changes_nothing(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore
) -> None:
    turn = accept()
    commit(claim(turn))
    before = store.get_turn(turn.id)
    assert store.cancel(turn.id) == before


def test_cancelling_an_unknown_turn_is_not_found(store: TurnStore) -> None:
    with pytest.raises(TurnNotFound):
        store.cancel(new_turn_id())
    with pytest.raises(TurnNotFound):
        store.cancel("nonsense")


def test_an_id_older_than_the_retention_has_expired(store: TurnStore) -> None:
    with pytest.raises(TurnExpired):
        store.get_turn("turn_" + "0" * 32)
