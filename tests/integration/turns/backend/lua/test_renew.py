from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.errors import LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTwice = Callable[[Turn], tuple[Claim, Claim]]
ClaimTurn = Callable[[Turn], Claim]


def test_a_renewed_lease_runs_for_another_lease_time(
    accept: Accept, claim: ClaimTurn, make_due: Callable[[Turn], None], store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    until = server.raw.zscore(keys.DUE.name, turn.id)
    make_due(turn)
    assert store.renew([claimed]) == []
    renewed_until = server.raw.zscore(keys.DUE.name, turn.id)
    assert until is not None
    assert renewed_until is not None
    assert renewed_until >= until


def test_one_call_separates_lost_leases_from_kept_ones(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    kept, cancelled = claim(accept(session_id="a")), claim(accept(session_id="b"))
    store.cancel(cancelled.turn_id)
    assert store.renew([kept, cancelled]) == [(cancelled.token, Reply.LOST)]


def test_a_lost_lease_cannot_be_renewed(accept: Accept, claim_twice: ClaimTwice, store: TurnStore) -> None:
    old, new = claim_twice(accept())
    assert store.renew([old, new]) == [(old.token, Reply.LOST)]


def test_a_superseded_turn_keeps_its_lease_and_is_reported(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    """The message on the channel may get lost; the reply to `renew` repeats it."""
    running = claim(accept())
    accept(on_busy=OnBusy.INTERRUPT)
    assert store.renew([running]) == [(running.token, Reply.SUPERSEDED)]


def taken_over(store: TurnStore) -> float:
    return store.read_metrics().counters["taken_over"].get((), 0)


def test_a_run_that_another_worker_took_over_counts_once(
    accept: Accept, claim_twice: ClaimTwice, commit: Callable[[Claim], None], store: TurnStore
) -> None:
    old, new = claim_twice(accept())
    for _ in range(2):
        assert store.renew([old]) == [(old.token, Reply.LOST)]
        assert store.emit([old.delta(0, "late")]) == [(old.token, Reply.LOST)]
    with pytest.raises(LeaseLost):
        commit(old)
    assert taken_over(store) == 1
    commit(new)
    store.renew([new, old])
    assert taken_over(store) == 1


def test_a_run_that_ended_otherwise_was_not_taken_over(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    cancelled, released = claim(accept(session_id="a")), claim(accept(session_id="b"))
    store.cancel(cancelled.turn_id)
    store.release(released.turn_id, token=released.token)
    assert [outcome for _, outcome in store.renew([cancelled, released])] == [Reply.LOST] * 2
    assert taken_over(store) == 0
