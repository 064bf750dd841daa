"""Tests of the runs in the record of a turn."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to
from turns.backend.client import Client
from turns.domain.error_codes import Code
from turns.domain.errors import TurnNotFound
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.turn import Turn
from turns.operations.timeline import read_timeline
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def retry_at_once(counts: bool = True) -> Retry:
    return Retry(after_seconds=0, counts=counts)


def test_a_turn_that_was_never_claimed_has_no_run(accept: Accept, client: Client) -> None:
    turn = accept(tenant="acme")
    timeline = read_timeline(client, turn.id)
    assert timeline.turn.tenant == "acme"
    assert timeline.hinted_at is not None
    assert timeline.runs == ()


def test_each_run_has_its_worker_and_its_outcome(
    accept: Accept, claim: ClaimTurn, make_due: Callable[[Turn], None], store: TurnStore, client: Client
) -> None:
    turn = accept(traceparent=f"00-{'a' * 32}-{'b' * 16}-01")
    first = claim(turn)
    store.emit([first.delta(0, "some text")])
    store.retry(first, Code.PROVIDER_ERROR, retry_at_once(), model="m", provider_request_id="req_1")
    claim(turn)
    make_due(turn)
    store.rescue(worker="", hint="")
    released = claim(turn)
    store.release(turn.id, token=released.token)
    last = claim(turn)
    store.commit(last, answer_to(last), tail="all of it", provider_request_id="req_4")
    timeline = read_timeline(client, turn.id)
    runs = [(run.number, run.attempt, run.worker, run.ended_by, run.code) for run in timeline.runs]
    assert runs == [
        (1, 1, "w", "retry", "provider_error"),
        (2, 2, "w", "rescue", None),
        (3, 2, "w", "release", None),
        (4, 2, "w", "completed", None),
    ]
    assert [run.provider_request_id for run in timeline.runs] == ["req_1", None, None, "req_4"]
    assert [run.first_token_at is not None for run in timeline.runs] == [True, False, False, True]
    assert all(run.ended_at and run.ended_at >= run.started_at for run in timeline.runs)
    assert timeline.trace_id == "a" * 32


def test_a_turn_that_ends_while_it_waits_has_only_earlier_runs(
    accept: Accept, claim: ClaimTurn, store: TurnStore, client: Client
) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_ERROR, retry_at_once(), model="m")
    store.cancel(turn.id)
    assert [run.ended_by for run in read_timeline(client, turn.id).runs] == ["retry"]


def test_a_failed_run_has_the_providers_id_of_its_request(
    accept: Accept, claim: ClaimTurn, store: TurnStore, client: Client
) -> None:
    turn = accept()
    store.fail(claim(turn), Code.PROVIDER_REJECTED, provider_status=400, provider_request_id="req_1")
    timeline = read_timeline(client, turn.id)
    assert [run.provider_request_id for run in timeline.runs] == ["req_1"]
    assert timeline.turn.provider_status == 400


def test_only_the_last_runs_are_kept(accept: Accept, claim: ClaimTurn, store: TurnStore, client: Client) -> None:
    turn = accept()
    for _ in range(25):
        store.retry(claim(turn), Code.PROVIDER_RATE_LIMITED, retry_at_once(counts=False), model="m")
    assert [run.number for run in read_timeline(client, turn.id).runs] == list(range(6, 26))


@pytest.mark.parametrize("turn_id", ["turn_" + "f" * 32, "turn_nonsense", "*"])
def test_an_unknown_turn_is_not_found(client: Client, turn_id: str) -> None:
    with pytest.raises(TurnNotFound):
        read_timeline(client, turn_id)
