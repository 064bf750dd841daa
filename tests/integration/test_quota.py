"""What one tenant may have: so many live turns, so many a minute, so many tokens a day."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to
from tests.server import Server
from turns import keys
from turns.codes import Code
from turns.errors import RateLimited, TenantBacklogFull, TokensSpent
from turns.state import Status
from turns.store import TurnStore
from turns.turn import Claim, Turn, TurnRequest, Usage

StoreWith = Callable[..., TurnStore]


def ask(store: TurnStore, n: int, tenant: str = "acme") -> Turn:
    return store.accept(TurnRequest(session_id=f"s{n}", input="x", tenant=tenant)).turn


def take(store: TurnStore, turn: Turn) -> Claim:
    claim = store.claim(turn.id, worker="w")
    assert claim is not None
    return claim


def test_a_tenant_may_have_so_many_live_turns_and_others_are_not_touched(store_with: StoreWith, server: Server) -> None:
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


def test_a_tenant_may_submit_so_many_a_minute_and_is_told_when_to_come_again(
    store_with: StoreWith, server: Server
) -> None:
    store = store_with(tenant_turns_per_minute=60)
    accepted = 0
    while not is_refused(store, accepted):
        accepted += 1
    assert 10 <= accepted <= 13, "ten seconds' worth, and one"
    with pytest.raises(RateLimited) as refused:
        ask(store, 200)
    assert refused.value.retry_after_seconds == 1
    ask(store, 0, tenant="other")
    server.raw.delete(keys.RATE("acme"))  # time passes
    ask(store, 100)


def test_tokens_are_reserved_before_and_settled_after(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=1000, reserved_tokens=400)
    first, second = ask(store, 1), ask(store, 2)
    with pytest.raises(TokensSpent) as refused:
        ask(store, 3)
    assert 0 < (refused.value.retry_after_seconds or 0) <= 86_400
    claim = take(store, first)
    used = Usage(input_tokens=30, output_tokens=20, total_tokens=50)
    store.commit(claim, replace(answer_to(claim), usage=used), tail="")
    assert spent(server) == 450
    store.fail(take(store, second), Code.PROVIDER_ERROR)
    assert spent(server) == 50, "what failed gives its tokens back"
    ask(store, 3, tenant="other")


def test_what_a_run_took_that_nobody_counted_stays_reserved(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=10_000, reserved_tokens=400)
    store.cancel(ask(store, 1).id, tenant="acme")
    assert spent(server) == 0, "it never ran"
    cancelled = take(store, ask(store, 2))
    store.cancel(cancelled.turn_id, tenant="acme")
    assert spent(server) == 400
    uncounted = take(store, ask(store, 3))
    store.commit(uncounted, answer_to(uncounted), tail="")
    assert spent(server) == 800


def test_a_turn_that_expired_unstarted_gives_its_tokens_back(store_with: StoreWith, server: Server) -> None:
    store = store_with(tenant_tokens_per_day=1000, reserved_tokens=400)
    late = store.accept(TurnRequest(session_id="s", input="x", tenant="acme", start_within_seconds=60)).turn
    server.raw.zadd(keys.START_BY.name, {late.id: 1}, xx=True)
    store.rescue(worker="", hint="")
    assert store.read(late.id, tenant="acme").status is Status.INCOMPLETE
    assert spent(server) == 0


def test_live_turns_are_counted_down_by_whoever_ends_them(store_with: StoreWith) -> None:
    web, worker = store_with(tenant_backlog=2), store_with()
    for n in range(3):
        claim = take(worker, ask(web, n))
        worker.commit(claim, answer_to(claim), tail="")


def test_a_clock_that_went_back_does_not_keep_a_tenant_out(store_with: StoreWith, server: Server) -> None:
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
