from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to, history
from tests.support.server import Server
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.state import Status
from turns.domain.turn import Turn, WaitingFor
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTwice = Callable[[Turn], tuple[Claim, Claim]]
ClaimTurn = Callable[[Turn], Claim]
MakeDue = Callable[[Turn], None]

PAUSE = Retry(after_seconds=60, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=60))


def test_a_failed_turn_leaves_no_history_and_its_session_continues(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    first, second = accept(), accept()
    store.fail(claim(first), Code.PROVIDER_QUOTA, provider_status=402)
    failed = store.get_turn(first.id)
    assert (failed.status, failed.error_code) == (Status.FAILED, Code.PROVIDER_QUOTA)
    assert failed.provider_status == 402
    assert history(server) == []
    claim(second)


def test_a_retried_turn_waits_at_the_head_of_its_session(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    first, second = accept(), accept()
    store.retry(claim(first), Code.PROVIDER_ERROR, Retry(after_seconds=60, counts=True), model="m")
    waiting = store.get_turn(first.id)
    assert (waiting.status, waiting.attempt) == (Status.QUEUED, 2)
    assert waiting.waiting is not None
    assert waiting.waiting.waiting_for is WaitingFor.RETRY
    assert waiting.waiting.retry_at is not None
    assert store.claim(first.id, worker="w") is None, "its retry is not due"
    assert store.claim(second.id, worker="w") is None, "the order of the session holds"


def test_a_retried_turn_continues_when_its_retry_is_due(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore, hints: Callable[[], list[str]]
) -> None:
    turn = accept()
    hints()
    store.retry(claim(turn), Code.PROVIDER_ERROR, Retry(after_seconds=60, counts=True), model="m")
    assert hints() == []
    make_due(turn)
    store.rescue(worker="", hint="")
    assert hints() == [turn.id]
    assert claim(turn).attempt == 2


def test_an_attempt_that_does_not_count_keeps_the_number(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_RATE_LIMITED, Retry(after_seconds=60, counts=False), model="m")
    assert store.get_turn(turn.id).attempt == 1


def test_a_retry_or_failure_whose_reply_was_lost_counts_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore
) -> None:
    retried, failed = claim(accept(session_id="a")), claim(accept(session_id="b"))
    for _ in range(2):
        store.retry(retried, Code.PROVIDER_ERROR, Retry(after_seconds=60, counts=True), model="m")
        store.fail(failed, Code.PROVIDER_QUOTA)
    assert store.get_turn(retried.turn_id).attempt == 2
    assert store.get_turn(failed.turn_id).status is Status.FAILED


def test_a_stale_worker_cannot_fail_the_turn(accept: Accept, claim_twice: ClaimTwice, store: TurnStore) -> None:
    old, new = claim_twice(accept())
    with pytest.raises(LeaseLost):
        store.fail(old, Code.PROVIDER_ERROR)
    with pytest.raises(LeaseLost):
        store.retry(old, Code.PROVIDER_ERROR, Retry(after_seconds=1, counts=True), model="m")
    store.commit(new, answer_to(new), tail="")


def test_a_paused_model_gets_no_request_from_any_session(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    """The provider named a time to one turn; turns of other sessions wait for it without a request."""
    limited, other = accept(session_id="limited"), accept(session_id="other")
    store.retry(claim(limited), Code.PROVIDER_RATE_LIMITED, PAUSE, model="m")
    assert store.claim(other.id, worker="w", model="m") is None
    waiting = store.get_turn(other.id).waiting
    assert waiting is not None
    assert waiting.waiting_for is WaitingFor.RETRY


def test_the_fallback_model_is_used_while_the_first_is_paused(
    accept: Accept, claim: ClaimTurn, store: TurnStore
) -> None:
    limited, other = accept(session_id="limited"), accept(session_id="other")
    store.retry(claim(limited), Code.PROVIDER_RATE_LIMITED, PAUSE, model="m")
    claimed = store.claim(other.id, worker="w", model="m", fallback_model="f")
    assert claimed is not None
    assert claimed.model == "f"


def test_a_turn_that_fell_back_keeps_the_fallback(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_ERROR, Retry(after_seconds=0, falls_back=True), model="f")
    again = store.claim(turn.id, worker="w", model="m", fallback_model="f")
    assert again is not None
    assert (again.model, again.attempt) == ("f", 2)
