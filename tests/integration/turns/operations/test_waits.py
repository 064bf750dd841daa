"""Tests of the waits that the scripts write to the record of a turn."""

from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.domain.wait_reason import SILENT, Reason
from turns.operations.live_turns import read_live_turns
from turns.operations.timeline import read_timeline
from turns.operations.waits import Wait
from turns.pauses.part import WORKERS, ServicePart
from turns.pauses.pauses import Pauses
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]

PAUSE = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=60))


Waits = Callable[[Turn], list[Wait]]


@pytest.fixture
def waits(client: Client) -> Callable[[Turn], list[Wait]]:
    return lambda turn: list(read_timeline(client, turn.id).waits)


def summary(waits: list[Wait]) -> list[tuple[str, str, bool]]:
    """Return each wait as its reason, what it waited for, and whether it is over."""
    return [(wait.reason, wait.what, wait.until is not None) for wait in waits]


def test_a_turn_that_nothing_holds_has_no_wait(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], waits: Waits, server: Server
) -> None:
    turn = accept()
    commit(claim(turn))
    assert waits(turn) == []
    assert not {b"waits", b"open_wait", b"head_at"} & set(server.raw.hkeys(keys.TURN(turn.id)))


def test_a_turn_waits_behind_others_of_its_session(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], waits: Waits
) -> None:
    first, second = accept(), accept()
    assert summary(waits(second)) == [(Reason.RUNNING, "", False)]
    commit(claim(first))
    [wait] = waits(second)
    assert wait.since == second.accepted_at
    assert wait.until is not None


def test_a_paused_model_holds_a_turn_until_it_is_admitted(
    accept: Accept, claim: ClaimTurn, store: TurnStore, waits: Waits
) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_RATE_LIMITED, PAUSE, model="m")
    assert summary(waits(turn)) == [(Reason.MODEL_PAUSED, "m", False)]
    store.lift_hold("m")
    assert summary(waits(turn)) == [(Reason.MODEL_PAUSED, "m", True)]


def test_a_pause_holds_a_turn_until_it_is_resumed(
    accept: Accept, store: TurnStore, pauses: Pauses, waits: Waits
) -> None:
    turn = accept()
    for part, wait in (
        (WORKERS, (Reason.WORKERS_PAUSED, "")),
        (ServicePart.parse("model", "m"), (Reason.PAUSED, "model/m")),
    ):
        pauses.pause(part)
        for _ in range(2):
            assert store.claim(turn.id, worker="w", model="m") is None
        assert summary(waits(turn))[-1] == (*wait, False)
        pauses.resume(part)
        assert summary(waits(turn))[-1] == (*wait, True)
    assert len(waits(turn)) == 2


def test_a_turn_without_a_slot_is_parked_until_it_has_one(waits: Waits, store_with: Callable[..., TurnStore]) -> None:
    store = store_with(tenant_concurrency=1)
    first, second = (store.accept(_request(session_id)).turn for session_id in "ab")
    assert summary(waits(second)) == [(Reason.PARKED, "tenant:acme", False)]
    claimed = store.claim(first.id, worker="w", model="m")
    assert claimed is not None
    store.cancel(first.id, tenant="acme")
    assert summary(waits(second)) == [(Reason.PARKED, "tenant:acme", True)]
    assert waits(first) == []


def test_a_retry_has_its_code_and_its_time(accept: Accept, claim: ClaimTurn, store: TurnStore, waits: Waits) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    [wait] = waits(turn)
    assert (wait.reason, wait.what) == (Reason.RETRY, "provider_error")
    assert wait.until == wait.since + 60_000


def test_a_lost_worker_is_named_from_its_last_heartbeat_on(
    accept: Accept, lose: Callable[[Turn], None], waits: Waits, client: Client
) -> None:
    turn = accept()
    lose(turn)
    [wait], [run] = waits(turn), read_timeline(client, turn.id).runs
    assert (wait.reason, wait.what) == (Reason.WORKER_LOST, "w")
    assert wait.until is not None
    assert run.started_at <= wait.since <= wait.until


def test_a_silence_ends_with_new_text_or_with_the_run(
    accept: Accept, claim: ClaimTurn, store: TurnStore, waits: Waits, client: Client
) -> None:
    turn = accept()
    run = claim(turn)
    for _ in range(2):  # the second time, as if the reply had been lost
        store.record_silence(run, is_silent=True, since_seconds=0)
    assert summary(waits(turn)) == [(SILENT, "", False)]
    [live] = read_live_turns(client).turns
    assert live.silent_since
    for _ in range(2):
        store.record_silence(run, is_silent=False, since_seconds=0)
    assert summary(waits(turn)) == [(SILENT, "", True)]
    store.record_silence(run, is_silent=True, since_seconds=0)
    store.release(turn.id, token=run.token)
    store.record_silence(run, is_silent=True, since_seconds=0)
    assert all(wait.until for wait in waits(turn))


def test_only_the_last_waits_are_kept(accept: Accept, claim: ClaimTurn, store: TurnStore, waits: Waits) -> None:
    turn = accept()
    for _ in range(25):
        store.retry(claim(turn), Code.PROVIDER_ERROR, Retry(after_seconds=0), model="m")
    assert len(waits(turn)) <= 20


def _request(session_id: str) -> TurnRequest:
    return TurnRequest(session_id=session_id, tenant="acme", input="hello")
