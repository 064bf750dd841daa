from collections.abc import Callable

from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.turn import Claim, OnBusy, Turn
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
