from collections.abc import Callable

from tests.server import Server
from turns import keys
from turns.replies import Reply
from turns.store import TurnStore
from turns.turn import Claim, OnBusy, Turn

Accept = Callable[..., Turn]
Overtaken = Callable[[Turn], tuple[Claim, Claim]]
Take = Callable[[Turn], Claim]


def test_a_renewed_lease_runs_for_another_lease_time(
    accept: Accept, claim: Take, lapse: Callable[[Turn], None], store: TurnStore, server: Server
) -> None:
    turn = accept()
    claimed = claim(turn)
    until = server.raw.zscore(keys.DUE.name, turn.id)
    lapse(turn)
    assert store.renew([claimed]) == []
    renewed_until = server.raw.zscore(keys.DUE.name, turn.id)
    assert until is not None
    assert renewed_until is not None
    assert renewed_until >= until


def test_one_call_tells_the_lost_from_the_kept(accept: Accept, claim: Take, store: TurnStore) -> None:
    kept, cancelled = claim(accept(session_id="a")), claim(accept(session_id="b"))
    store.cancel(cancelled.turn_id)
    assert store.renew([kept, cancelled]) == [(cancelled.token, Reply.LOST)]


def test_a_lost_lease_is_not_taken_back_by_renewing(accept: Accept, overtaken: Overtaken, store: TurnStore) -> None:
    old, new = overtaken(accept())
    assert store.renew([old, new]) == [(old.token, Reply.LOST)]


def test_a_superseded_turn_keeps_its_lease_and_hears_of_it(accept: Accept, claim: Take, store: TurnStore) -> None:
    """The message that tells its worker at once may get lost; this one comes again."""
    running = claim(accept())
    accept(on_busy=OnBusy.INTERRUPT)
    assert store.renew([running]) == [(running.token, Reply.SUPERSEDED)]
