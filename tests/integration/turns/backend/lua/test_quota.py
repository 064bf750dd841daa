"""Tests of the limits of a tenant: live turns, turns a minute, tokens a day."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.domain.error_codes import Code
from turns.domain.errors import RateLimited, TenantBacklogFull, TokensSpent
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore

StoreWith = Callable[..., TurnStore]


def ask(store: TurnStore, n: int, tenant: str = "acme") -> Turn:
    return store.accept(TurnRequest(session_id=f"s{n}", input="x", tenant=tenant)).turn


def claim_turn(store: TurnStore, turn: Turn) -> Claim:
    claim = store.claim(turn.id, worker="w")
    assert claim is not None
    return claim


def test_the_backlog_of_a_tenant_is_limited(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_backlog=2)
    first, _ = ask(store, 1), ask(store, 2)
    with pytest.raises(TenantBacklogFull):
        ask(store, 3)
    ask(store, 3, tenant="other")
    store.cancel(first.id, tenant="acme")
    third = ask(store, 3)
    for turn in store.list_turns(tenant="acme", limit=10).turns:
        store.cancel(turn.id, tenant="acme")
    assert not server.raw.exists(keys.TENANT("acme"))
    assert third.id


def test_the_rate_of_a_tenant_is_limited_with_a_retry_after(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_turns_per_minute=60)
    accepted = 0
    while not is_refused(store, accepted):
        accepted += 1
    assert 10 <= accepted <= 13, "a burst of ten seconds, and one"
    with pytest.raises(RateLimited) as refused:
        ask(store, 200)
    assert refused.value.retry_after_seconds == 1
    ask(store, 0, tenant="other")
    server.raw.delete(keys.RATE("acme"))  # as if time had passed
    ask(store, 100)


def test_tokens_are_reserved_before_and_settled_after_a_run(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=1000, reserved_tokens=400)
    first, second = ask(store, 1), ask(store, 2)
    with pytest.raises(TokensSpent) as refused:
        ask(store, 3)
    assert 0 < (refused.value.retry_after_seconds or 0) <= 86_400
    claim = claim_turn(store, first)
    used = Usage(input_tokens=30, output_tokens=20, total_tokens=50)
    store.commit(claim, replace(answer_to(claim), usage=used), tail="")
    assert spent(server) == 450
    store.fail(claim_turn(store, second), Code.PROVIDER_ERROR)
    assert spent(server) == 50, "a failed turn returns its tokens"
    ask(store, 3, tenant="other")


def test_a_run_without_a_usage_report_keeps_its_reservation(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=10_000, reserved_tokens=400)
    store.cancel(ask(store, 1).id, tenant="acme")
    assert spent(server) == 0, "it never ran"
    cancelled = claim_turn(store, ask(store, 2))
    store.cancel(cancelled.turn_id, tenant="acme")
    assert spent(server) == 400
    uncounted = claim_turn(store, ask(store, 3))
    store.commit(uncounted, answer_to(uncounted), tail="")
    assert spent(server) == 800


def test_a_turn_that_expired_unstarted_returns_its_tokens(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=1000, reserved_tokens=400)
    late = store.accept(TurnRequest(session_id="s", input="x", tenant="acme", start_within_seconds=60)).turn
    server.raw.zadd(keys.START_BY.name, {late.id: 1}, xx=True)
    store.rescue(worker="", hint="")
    assert store.get_turn(late.id, tenant="acme").status is Status.INCOMPLETE
    assert spent(server) == 0


def test_processes_with_other_settings_count_live_turns_down(store_with: StoreWith) -> None:
    web, worker = store_with(tenant_backlog=2), store_with()
    for n in range(3):
        claim = claim_turn(worker, ask(web, n))
        worker.commit(claim, answer_to(claim), tail="")


def test_a_clock_set_back_does_not_lock_a_tenant_out(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_turns_per_minute=60)
    server.raw.set(keys.RATE("acme"), (int(server.raw.time()[0]) + 3600) * 1000)
    with pytest.raises(RateLimited) as refused:
        ask(store, 1)
    assert refused.value.retry_after_seconds == 1


def is_refused(store: TurnStore, n: int) -> bool:
    try:
        ask(store, n)
    except RateLimited:
        return True
    return False


def spent(server: Server) -> int:
    [key] = server.raw.keys(keys.TOKENS("acme:*"))
    return int(server.raw.get(key))


def test_a_refused_turn_stores_nothing(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_backlog=1)
    ask(store, 1)
    before = sorted(server.raw.keys("*"))
    with pytest.raises(TenantBacklogFull):
        ask(store, 2)
    assert sorted(server.raw.keys("*")) == before
