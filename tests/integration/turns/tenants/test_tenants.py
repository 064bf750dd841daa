"""Tests of the list of tenants."""

from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.turns import TurnStore
from turns.tenants import activity
from turns.tenants.limits import OwnLimits
from turns.tenants.tenants import Tenants

Accept = Callable[..., Turn]


@pytest.fixture
def tenants(client: Client, settings: Settings) -> Tenants:
    return Tenants(client, settings)


def test_tenants_are_listed_with_what_they_do(
    tenants: Tenants, accept: Accept, claim: Callable[[Turn], Claim], store: TurnStore, server: Server
) -> None:
    for n in range(3):
        accept(tenant="acme", session_id=f"s{n}")
    claim(accept(tenant="acme", session_id="runs"))
    accept(tenant="acme", session_id="runs")
    store.fail(claim(accept(tenant="globex")), Code.PROVIDER_ERROR)
    tenants.set_limits("initech", OwnLimits(concurrency=5))
    found = tenants.list_tenants()
    assert found.is_complete
    assert [tenant.name for tenant in found.tenants] == ["acme", "initech", "globex"]
    acme, initech, globex = (tenant.activity for tenant in found.tenants)
    assert (acme.live_turns, acme.running_turns, acme.waiting_turns) == (5, 1, 4)
    assert acme.waiting_since == int(server.raw.zrange(keys.WAITING.name, 0, 0, withscores=True)[0][1])
    assert (acme.accepted_per_minute, acme.failed_turns, acme.counted_tokens) == (1, 0, None)
    assert (globex.live_turns, globex.waiting_since) == (0, None)
    assert (globex.accepted_per_minute, globex.failed_turns) == (0.2, 1)
    assert (initech.live_turns, initech.accepted_per_minute) == (0, 0)
    assert [tenants.get_tenant(name).activity for name in ("acme", "globex")] == [acme, globex]


def test_a_list_counts_heads_beyond_one_call(tenants: Tenants, accept: Accept, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(5):
        accept(tenant="acme", session_id=f"s{n}")
    monkeypatch.setattr(activity, "HEADS_PER_CALL", 2)
    assert [tenant.activity.live_turns for tenant in tenants.list_tenants().tenants] == [5]
    monkeypatch.setattr(activity, "MAX_HEADS", 3)
    found = tenants.list_tenants()
    assert not found.is_complete
    assert [tenant.activity.live_turns for tenant in found.tenants] == [3]


def test_a_tenant_with_a_key_is_listed_after_its_turns(
    tenants: Tenants, accept: Accept, store: TurnStore, server: Server
) -> None:
    for name in ("acme", "unused"):
        server.raw.zadd(keys.API_KEYS.name, {f"key-{name}": 1})
        server.raw.hset(keys.API_KEY(f"key-{name}"), "tenant", name)
    store.cancel(accept(tenant="acme").id, tenant="acme")
    assert [tenant.name for tenant in tenants.list_tenants().tenants] == ["acme"]
    assert tenants.get_tenant("unused").activity.live_turns == 0


def test_a_foreign_record_hides_no_tenant(tenants: Tenants, accept: Accept, server: Server) -> None:
    broken = accept(tenant="acme", session_id="broken")
    accept(tenant="globex")
    server.raw.delete(keys.TURN(broken.id))
    server.raw.set(keys.TURN(broken.id), "x")
    assert [tenant.name for tenant in tenants.list_tenants().tenants if tenant.activity.live_turns] == ["globex"]
    tenants.set_limits("globex", OwnLimits(concurrency=5, backlog=3))
    assert server.raw.hget(keys.TENANT("globex"), "live") == b"1"
    server.raw.delete(keys.TURN(broken.id))
