"""Tests of the limits that an operator sets for one tenant, in stores of processes with several settings."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to, send_heartbeat
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.assistant import Lane
from turns.domain.errors import InvalidRequest, RateLimited, TenantBacklogFull, TokensSpent
from turns.domain.messages import Message
from turns.domain.turn_request import TurnRequest
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.tenants import tenants as tenants_module
from turns.tenants.limits import OwnLimits, TenantLimits
from turns.tenants.tenants import Tenants

StoreWith = Callable[..., TurnStore]
Hints = Callable[[], list[str]]


@pytest.fixture
def tenants(client: Client, settings: Settings) -> Tenants:
    return Tenants(client, settings)


def ask(store: TurnStore, n: int, *, tenant: str = "acme", lane: Lane = Lane.INTERACTIVE) -> str:
    return store.accept(TurnRequest(session_id=f"s{n}", input="x", tenant=tenant, lane=lane)).turn.id


def complete(store: TurnStore, turn_id: str) -> None:
    claim = store.claim(turn_id, worker="w", model="m")
    assert claim is not None
    store.commit(claim, answer_to(claim), tail="")


def now_ms(server: Server) -> int:
    seconds, microseconds = server.raw.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def end_limits(server: Server, tenant: str = "acme") -> None:
    """Let the time pass at which the tenant's limits end."""
    server.raw.hset(keys.TENANT(tenant), "until", 1)
    server.raw.zadd(keys.LIMITED.name, {tenant: 1})


def test_a_new_limit_counts_the_turns_that_run_already(store: TurnStore, tenants: Tenants, hints: Hints) -> None:
    running = [ask(store, n) for n in range(3)]
    tenants.set_limits("acme", OwnLimits(concurrency=2))
    waiting, other = ask(store, 3), ask(store, 0, tenant="other")
    assert hints() == [*running, other]
    complete(store, running[0])
    assert hints() == [], "two turns still run"
    complete(store, running[1])
    assert hints() == [waiting]


def test_turns_beyond_a_lowered_limit_finish(store: TurnStore, tenants: Tenants, hints: Hints) -> None:
    tenants.set_limits("acme", OwnLimits(concurrency=3))
    running = [ask(store, n) for n in range(3)]
    waiting = ask(store, 3)
    tenants.set_limits("acme", OwnLimits(concurrency=1))
    assert hints() == running
    for turn_id in running[:2]:
        complete(store, turn_id)
    assert hints() == []
    complete(store, running[2])
    assert hints() == [waiting]


@pytest.mark.parametrize("raised", [5, 0, None])
def test_a_raised_limit_starts_waiting_turns_oldest_first(
    store: TurnStore, tenants: Tenants, hints: Hints, raised: int | None
) -> None:
    tenants.set_limits("acme", OwnLimits(concurrency=1))
    turns = [ask(store, n) for n in range(4)]
    assert hints() == turns[:1]
    if raised is None:
        tenants.remove_limits("acme")
    else:
        tenants.set_limits("acme", OwnLimits(concurrency=raised))
    assert hints() == turns[1:]


def test_a_limit_counts_only_turns_that_occupy_a_worker(store: TurnStore, tenants: Tenants, hints: Hints) -> None:
    turns = [ask(store, n) for n in range(2)]
    behind = ask(store, 0)
    hints()
    store.release(turns[0], token="")
    hints()
    tenants.set_limits("acme", OwnLimits(concurrency=2))
    complete(store, turns[1])
    assert hints() == []
    started = ask(store, 5)
    assert hints() == [started], "the turn behind another one of its session has no worker"
    complete(store, turns[0])
    assert hints() == [behind]


def test_an_own_limit_goes_before_that_of_the_settings(
    store_with: StoreWith, tenants: Tenants, hints: Hints, server: Server
) -> None:
    web, worker = store_with(tenant_concurrency=1), store_with(tenant_concurrency=3)
    tenants.set_limits("acme", OwnLimits(concurrency=2))
    turns = [ask(web, n) for n in range(3)]
    assert hints() == turns[:2]
    complete(worker, turns[0])
    assert hints() == turns[2:], "processes with other settings apply the same limit"
    tenants.set_limits("acme", OwnLimits(concurrency=0))
    turns += [ask(web, n) for n in range(3, 6)]
    assert hints() == turns[3:], "0 is unlimited"
    server.raw.hdel(keys.TENANT("acme"), "concurrency")
    ask(web, 9)
    assert hints() == [], "a limit that is not set is the default"


def test_the_default_counts_what_ran_without_a_limit(
    store_with: StoreWith, client: Client, settings: Settings, hints: Hints
) -> None:
    changed = settings.model_copy(update={"tenant_concurrency": 1})
    store, tenants = TurnStore(client, changed), Tenants(client, changed)
    tenants.set_limits("acme", OwnLimits(concurrency=0))
    running = [ask(store, n) for n in range(3)]
    tenants.remove_limits("acme")
    waiting = ask(store, 3)
    assert hints() == running
    for turn_id in running:
        assert hints() == []
        complete(store, turn_id)
    assert hints() == [waiting]


def test_limits_end_at_their_time(store: TurnStore, tenants: Tenants, hints: Hints, server: Server) -> None:
    send_heartbeat(server)
    tenants.set_limits("acme", OwnLimits(concurrency=1, until=now_ms(server) + 60_000, reason="flood", set_by="key"))
    turns = [ask(store, n) for n in range(3)]
    assert hints() == turns[:1]
    end_limits(server)
    assert tenants.get_tenant("acme").own is None
    turns.append(ask(store, 3))
    store.rescue(worker="", hint="")
    assert sorted(hints()) == sorted(turns[1:])
    assert not server.raw.exists(keys.LIMITED.name)
    assert not server.raw.hexists(keys.SERVICE.name, "own_limits")
    assert not server.raw.exists(keys.TENANT("acme"))


def test_a_backlog_counts_the_live_turns_of_before(store: TurnStore, tenants: Tenants, server: Server) -> None:
    turns = [ask(store, n % 2) for n in range(4)]
    tenants.set_limits("acme", OwnLimits(backlog=4))
    with pytest.raises(TenantBacklogFull):
        ask(store, 5)
    ask(store, 0, tenant="other")
    complete(store, turns[0])
    turns.append(ask(store, 5))
    with pytest.raises(TenantBacklogFull):
        ask(store, 6)
    tenants.remove_limits("acme")
    turns.append(ask(store, 6))
    for turn_id in turns:
        store.cancel(turn_id, tenant="acme")
    assert not server.raw.exists(keys.TENANT("acme"))


def test_rate_and_tokens_are_limited_for_one_tenant(
    store_with: StoreWith, tenants: Tenants, sessions: SessionStore
) -> None:
    store = store_with(reserved_tokens=400)
    message = Message(number=1, role="user", content="x", turn_id=None)
    tenants.set_limits("acme", OwnLimits(turns_per_minute=1))
    ask(store, 0)
    with pytest.raises(RateLimited):
        ask(store, 1)
    with pytest.raises(RateLimited):
        sessions.import_messages([message], session_id="i", user_id=None, tenant="acme")
    tenants.set_limits("acme", OwnLimits(turns_per_minute=1000, tokens_per_day=900))
    ask(store, 1)
    ask(store, 2)
    with pytest.raises(TokensSpent):
        ask(store, 3)
    assert tenants.get_tenant("acme").activity.counted_tokens == 800
    for n in range(3):
        ask(store, n, tenant="other")


def test_limits_are_read_as_they_were_set(tenants: Tenants, settings: Settings, server: Server) -> None:
    before, until = now_ms(server), now_ms(server) + 60_000
    given = OwnLimits(concurrency=5, tokens_per_day=0, until=until, reason="too many", set_by="abc")
    for _ in range(2):
        tenants.set_limits("acme", given)
    found = tenants.get_tenant("acme")
    assert found.own is not None
    assert before <= found.own.set_at <= now_ms(server)
    assert (found.own.concurrency, found.own.backlog, found.own.until) == (5, None, until)
    assert (found.own.reason, found.own.set_by) == ("too many", "abc")
    assert found.limits == TenantLimits(
        concurrency=5, backlog=settings.tenant_backlog, turns_per_minute=0, tokens_per_day=0
    )
    tenants.set_limits("acme", OwnLimits(backlog=7))
    replaced = tenants.get_tenant("acme").own
    assert replaced is not None
    assert (replaced.concurrency, replaced.backlog, replaced.until, replaced.reason) == (None, 7, None, "")


def test_limits_that_have_ended_are_refused(tenants: Tenants, server: Server) -> None:
    tenants.set_limits("acme", OwnLimits(concurrency=5))
    before = server.raw.hgetall(keys.TENANT("acme"))
    with pytest.raises(InvalidRequest, match="until: must be in the future"):
        tenants.set_limits("acme", OwnLimits(concurrency=1, until=now_ms(server) - 1))
    assert server.raw.hgetall(keys.TENANT("acme")) == before


def test_only_so_many_tenants_have_own_limits(
    tenants: Tenants, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants_module, "MAX_OWN_LIMITS", 2)
    for name in ("a", "b", "a"):
        tenants.set_limits(name, OwnLimits(concurrency=5))
    with pytest.raises(InvalidRequest, match="tenant: "):
        tenants.set_limits("c", OwnLimits(concurrency=5))
    assert not server.raw.exists(keys.TENANT("c"))
    tenants.remove_limits("a")
    tenants.set_limits("c", OwnLimits(concurrency=5))


def test_removing_what_is_not_set_changes_nothing(tenants: Tenants, server: Server) -> None:
    tenants.remove_limits("acme")
    assert server.raw.keys("*") == []


def test_a_plain_turn_costs_no_command_more(store_with: StoreWith, tenants: Tenants, server: Server) -> None:
    store = store_with()

    def reads(n: int) -> int:
        """Return the fewest hash reads of a turn; a check of the store, once in a while, adds to one of them."""
        return min(count_reads(server, lambda: complete(store, ask(store, n))) for _ in range(3))

    plain = reads(0)
    tenants.set_limits("other", OwnLimits(concurrency=5))
    assert reads(1) == plain + 1, "the tenant's own limits"
    tenants.remove_limits("other")
    assert reads(2) == plain


def count_reads(server: Server, act: Callable[[], None]) -> int:
    server.raw.config_resetstat()
    act()
    calls = {name: stat["calls"] for name, stat in server.raw.info("commandstats").items()}
    return int(calls.get("cmdstat_hmget", 0) + calls.get("cmdstat_hget", 0))
