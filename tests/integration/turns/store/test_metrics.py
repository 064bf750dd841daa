"""Metrics of a store with turns in each state: what is counted, and why turns wait."""

from collections.abc import Callable

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.domain.wait_reason import Reason
from turns.operations.workers import read_workers
from turns.store.failing import FailingModel, read_completions, read_failing
from turns.store.metrics import COUNTER_LABELS
from turns.store.survey import survey_heads
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def held(store: TurnStore) -> dict[Reason, int]:
    return {reason: number for reason, number in store.read_metrics().held.items() if number}


def clock_ms(client: Client) -> int:
    seconds, microseconds = client.time()
    return int(seconds * 1000 + microseconds // 1000)


def beat(server: Server, worker: str, *, seconds_ago: float = 0) -> None:
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.WORKERS.name, {worker: (seconds - seconds_ago) * 1000})


def test_buckets_are_cumulative_and_in_seconds(store: TurnStore, server: Server) -> None:
    fields = {"accepted|batch": 7, "duration|50": 2, "duration|100": 3, "duration|inf": 1, "duration|sum": 9500}
    server.raw.hset(keys.METRICS.name, mapping=fields)
    metrics = store.read_metrics()
    duration = metrics.histograms["duration"]
    assert [*duration.buckets[:3], duration.buckets[-1]] == [(0.05, 2), (0.1, 5), (0.25, 5), (float("inf"), 6)]
    assert duration.sum == 9.5
    assert metrics.counters["accepted"] == {("batch",): 7}
    assert metrics.counters["ended"] == {("completed", ""): 6}
    assert set(metrics.counters) == set(COUNTER_LABELS)


def test_each_live_turn_that_does_not_run_is_held_by_one_reason(
    accept: Accept, claim: ClaimTurn, store: TurnStore, store_with: Callable[..., TurnStore], server: Server
) -> None:
    beat(server, "w")
    running, retried = accept(session_id="running"), accept(session_id="retried")
    for session_id in ("running", "running", "waiting"):
        accept(session_id=session_id)
    claim(running)
    store.retry(claim(retried), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    limited = store_with(tenant_concurrency=1)
    for session_id in ("a", "b", "c"):
        limited.accept(TurnRequest(session_id=session_id, tenant="acme", input="hello"))
    expected = {Reason.RUNNING: 2, Reason.RETRY: 1, Reason.PARKED: 2, Reason.WORKERS_BUSY: 2}
    assert held(store) == expected
    metrics = store.read_metrics()
    assert metrics.gauges["running_turns"] == 1
    assert sum(held(store).values()) + 1 == metrics.gauges["live_turns"]
    server.raw.hset(keys.SERVICE.name, "workers", 1)
    assert held(store)[Reason.WORKERS_PAUSED] == 2
    server.raw.hdel(keys.SERVICE.name, "workers")
    server.raw.delete(keys.WORKERS.name)
    assert held(store)[Reason.NO_WORKER] == 2


def test_a_model_is_failing_until_one_of_its_turns_completes(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore, client: Client
) -> None:
    def failing() -> list[FailingModel]:
        seconds, _ = client.time()
        return read_failing(client, read_completions(client), now_ms=seconds * 1000)

    assert failing() == []
    for session_id in ("a1", "a2"):
        store.fail(claim(accept(session_id=session_id)), Code.PROVIDER_UNREACHABLE)
        assert failing() == [], "two failures in a row are no pattern"
    retried = accept(session_id="b")
    store.retry(claim(retried), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    [found] = failing()
    assert (found.model, found.attempts, found.code) == ("m", 3, "provider_error")
    commit(claim(accept(session_id="c")))
    assert failing() == []
    committed_at = read_completions(client)["m"]
    wait_until("the store's clock is past the commit", lambda: clock_ms(client) > committed_at)
    for session_id in ("d1", "d2", "d3"):
        store.fail(claim(accept(session_id=session_id)), Code.PROVIDER_UNREACHABLE)
    [after] = failing()
    assert after.attempts == 3
    failing_seconds = store.read_metrics().failing_seconds
    assert failing_seconds.keys() == {("m", "provider_unreachable")}
    assert after.since >= found.since


@pytest.mark.parametrize(("code", "timed"), [(Code.PROVIDER_TIMEOUT, 1), (Code.PROVIDER_UNREACHABLE, 0)])
def test_a_provider_without_a_first_token_is_timed(
    accept: Accept, claim: ClaimTurn, store: TurnStore, code: Code, timed: int
) -> None:
    store.fail(claim(accept()), code)
    assert store.read_metrics().histograms["first_token"].buckets[-1][1] == timed


def test_a_silent_worker_is_listed_with_the_turns_that_it_holds(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, client: Client
) -> None:
    turn = accept()
    claim(turn)
    beat(server, "w", seconds_ago=41)
    beat(server, "other")
    seconds, _ = client.time()
    alive, silent = read_workers(client, survey_heads(client), (), now_ms=seconds * 1000)
    assert (alive.name, alive.is_alive, alive.running) == ("other", True, ())
    assert (silent.name, silent.is_alive, silent.running) == ("w", False, (turn.id,))
    assert silent.silent_seconds >= 41
    assert store.read_metrics().gauges["silent_workers"] == 1
    store.rescue(worker="other", hint="")
    assert server.raw.zcard(keys.WORKERS.name) == 2


def test_a_service_is_stalled_while_a_turn_waits_and_none_completes(
    store: TurnStore, server: Server, accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None]
) -> None:
    def stalled() -> float:
        return store.read_metrics().gauges["stalled_seconds"]

    commit(claim(accept()))
    server.raw.hset(keys.SERVICE.name, "completed_at:m", 1)
    assert stalled() == 0, "no turn waits"
    turn = accept(session_id="waits")
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.WAITING.name, {turn.id: (seconds - 500) * 1000}, xx=True)
    assert 499 <= stalled() <= 510
    server.raw.hset(keys.SERVICE.name, "completed_at:m", (seconds - 100) * 1000)
    assert 99 <= stalled() <= 110
    server.raw.hdel(keys.SERVICE.name, "completed_at:m")
    assert 499 <= stalled() <= 510, "no turn has ever completed"
