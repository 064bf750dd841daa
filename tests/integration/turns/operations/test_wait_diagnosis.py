"""Tests of the reasons why a session waits."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import send_heartbeat
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.domain.wait_reason import Reason
from turns.operations.live_turns import SCAN_LIMIT, read_live_turns
from turns.operations.wait_diagnosis import read_session_queue
from turns.operations.workers import read_workers
from turns.pauses.part import WORKERS, ServicePart
from turns.pauses.pauses import Pauses
from turns.store.survey import survey_heads
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


@pytest.fixture(autouse=True)
def live_worker(server: Server, settings: Settings) -> None:
    send_heartbeat(server)


def reasons(client: Client, turn: Turn) -> list[Reason]:
    return [why.reason for why in read_session_queue(client, turn.session).why]


def test_a_turn_waits_behind_a_running_one(accept: Accept, claim: ClaimTurn, client: Client) -> None:
    first, second = accept(), accept()
    claim(first)
    queue = read_session_queue(client, second.session)
    assert [turn.id for turn in queue.turns] == [first.id, second.id]
    assert [why.reason for why in queue.why] == [Reason.RUNNING]
    assert "worker w" in queue.why[0].message


def test_a_turn_waits_for_a_free_worker(accept: Accept, client: Client) -> None:
    assert reasons(client, accept()) == [Reason.WORKERS_BUSY]


def test_a_turn_waits_for_a_live_worker_and_the_end_of_the_pause(
    accept: Accept, client: Client, server: Server, pauses: Pauses
) -> None:
    turn = accept()
    server.raw.delete(keys.WORKERS.name)
    pauses.pause(WORKERS)
    assert reasons(client, turn) == [Reason.WORKERS_PAUSED, Reason.NO_WORKER]


def test_a_turn_waits_for_the_end_of_the_pauses_of_its_parts(
    accept: Accept, client: Client, store: TurnStore, pauses: Pauses
) -> None:
    turn = accept()
    pauses.pause(ServicePart.parse("assistant", "default"), reason="bad prompt", seconds=60)
    pauses.pause(ServicePart.parse("model", "m"))
    pauses.pause(ServicePart.parse("model", "other"))
    assert reasons(client, turn) == [Reason.PAUSED], "the model is known when a worker claims the turn"
    pauses.resume(ServicePart.parse("assistant", "default"))
    assert store.claim(turn.id, worker="w", model="m") is None
    [why] = read_session_queue(client, turn.session).why
    assert (why.reason, why.until) == (Reason.PAUSED, None)
    assert "paused the model m. 1 turns wait" in why.message


def test_a_turn_waits_for_its_next_attempt(accept: Accept, claim: ClaimTurn, client: Client, store: TurnStore) -> None:
    turn = accept()
    store.retry(claim(turn), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    [why] = read_session_queue(client, turn.session).why
    assert why.reason is Reason.RETRY
    assert why.until
    assert "provider_error" in why.message
    assert "attempt 2" in why.message


def test_turns_that_lost_workers_wait_for_each_other(
    accept: Accept, lose: Callable[..., None], make_due: Callable[[Turn], None], client: Client, store: TurnStore
) -> None:
    first, second = accept(session_id="a"), accept(session_id="b")
    for turn in (first, second):
        lose(turn, times=3)
    assert reasons(client, second) == [Reason.WORKER_LOST]
    for turn in (first, second):
        make_due(turn)
    store.rescue(worker="", hint="")
    [why] = read_session_queue(client, second.session).why
    assert why.reason is Reason.PARKED
    assert "lost as many workers uses all of its 1 slots" in why.message


def test_turns_that_never_ran_wait_for_a_paused_model_too(
    accept: Accept, claim: ClaimTurn, client: Client, store: TurnStore
) -> None:
    limited, other = accept(), accept(session_id="other")
    pause = Retry(after_seconds=60, counts=False, hold=Hold(reason=HoldReason.RATE_LIMITED, seconds=60))
    store.retry(claim(limited), Code.PROVIDER_RATE_LIMITED, pause, model="m")
    assert store.claim(other.id, worker="w", model="m") is None
    assert reasons(client, limited) == reasons(client, other) == [Reason.MODEL_PAUSED]


def test_a_turn_waits_for_a_slot_of_its_group(store_with: Callable[..., TurnStore], client: Client) -> None:
    store = store_with(tenant_concurrency=1, batch_concurrency=1)
    for session_id in ("a", "b"):
        store.accept(TurnRequest(session_id=session_id, input="hello", lane=Lane.BATCH))
    why = read_session_queue(client, "b").why
    assert [one.reason for one in why] == [Reason.PARKED]
    assert "all of its 1 slots" in why[0].message


def test_an_idle_session_has_no_reason_to_wait(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], client: Client
) -> None:
    turn = accept()
    commit(claim(turn))
    queue = read_session_queue(client, turn.session)
    assert (queue.turns, queue.why) == ((), ())
    with pytest.raises(SessionNotFound):
        read_session_queue(client, "unknown")


def test_heads_of_all_tenants_are_listed_with_their_workers(accept: Accept, claim: ClaimTurn, client: Client) -> None:
    running, waiting = accept(tenant="acme"), accept(session_id="other")
    accept(session_id="other")
    claim(running)
    live = read_live_turns(client)
    assert live.is_complete
    found = {(turn.id, turn.tenant, turn.behind) for turn in live.turns}
    assert found == {(running.id, "acme", 0), (waiting.id, "-", 1)}
    [worker] = read_workers(client, survey_heads(client), (), now_ms=2**53)
    assert (worker.name, worker.running, worker.is_draining) == ("w", (running.id,), False)


def test_of_many_heads_the_longest_waiting_are_listed(store: TurnStore, client: Client) -> None:
    turns = [store.accept(TurnRequest(session_id=f"s{n}", input="hello")).turn for n in range(SCAN_LIMIT + 5)]
    live = read_live_turns(client)
    assert not live.is_complete
    assert {turn.id for turn in live.turns} >= {turn.id for turn in turns[:SCAN_LIMIT]}
