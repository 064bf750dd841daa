"""Tests of slots: each tenant and the lane `batch` have a limited number of dispatched heads."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import DEFAULT, Lane
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.operations.wait_diagnosis import read_session_queue
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

StoreWith = Callable[..., TurnStore]
Hints = Callable[[], list[str]]


def ask(store: TurnStore, n: int, *, tenant: str = "acme", lane: Lane = Lane.INTERACTIVE) -> str:
    return store.accept(TurnRequest(session_id=f"s{n}", input="x", tenant=tenant, lane=lane)).turn.id


def claim_turn(store: TurnStore, turn_id: str) -> Claim:
    claim = store.claim(turn_id, worker="w", model="m")
    assert claim is not None
    return claim


def test_the_slots_of_a_tenant_are_limited(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=2)
    turns = [ask(store, n) for n in range(5)]
    other = ask(store, 0, tenant="other")
    assert hints() == [*turns[:2], other]
    store.cancel(turns[0], tenant="acme")
    assert hints() == [turns[2]]


def test_a_slot_is_passed_on_when_a_turn_ends_or_waits(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=1)
    turns = [ask(store, n) for n in range(4)]
    hints()
    store.fail(claim_turn(store, turns[0]), Code.PROVIDER_ERROR)
    assert hints() == [turns[1]]
    store.retry(claim_turn(store, turns[1]), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    assert hints() == [turns[2]], "a turn that waits for its retry holds no slot"
    store.release(turns[2], token=claim_turn(store, turns[2]).token)
    assert hints() == [turns[2]], "a turn that is released keeps its slot"


def test_cancelling_a_turn_without_a_slot_releases_none(store_with: StoreWith, hints: Hints, server: Server) -> None:
    store = store_with(tenant_concurrency=1)
    running, cancelled, waiting = (ask(store, n) for n in range(3))
    hints()
    store.cancel(cancelled, tenant="acme")
    assert hints() == []
    assert server.raw.zrange(keys.SLOT_WAITERS("tenant:acme"), 0, -1) == [waiting.encode()]
    store.cancel(running, tenant="acme")
    assert hints() == [waiting]


def test_a_batch_leaves_slots_for_interactive_turns(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(batch_concurrency=1)
    batch = [ask(store, n, lane=Lane.BATCH) for n in range(3)]
    now = [ask(store, n) for n in range(3, 6)]
    assert hints() == [batch[0], *now]
    store.cancel(batch[0], tenant="acme")
    assert hints() == [batch[1]]


def test_an_assistant_with_a_limit_leaves_slots_for_others(store: TurnStore, hints: Hints, client: Client) -> None:
    limited = replace(DEFAULT, name="hangs", concurrency=2)
    turns = [
        store.accept(TurnRequest(session_id=f"l{n}", input="x", tenant="acme", assistant=limited)).turn.id
        for n in range(4)
    ]
    other = ask(store, 0)
    assert hints() == [*turns[:2], other]
    assert (
        read_session_queue(client, "acme/-/l3").why[-1].message
        == "The assistant hangs uses all of its 2 slots; 1 other turns are before this one."
    )
    store.fail(claim_turn(store, turns[0]), Code.PROVIDER_TIMEOUT)
    assert hints() == [turns[2]]
    store.cancel(turns[2], tenant="acme")
    assert hints() == [turns[3]]


def test_a_slot_goes_to_a_turn_whose_groups_are_all_free(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=1, batch_concurrency=1)
    first = ask(store, 0, tenant="a", lane=Lane.BATCH)
    waiting_for_both = ask(store, 1, tenant="a", lane=Lane.BATCH)
    second = ask(store, 0, tenant="b", lane=Lane.BATCH)
    other = ask(store, 2, tenant="a")
    assert hints() == [first]
    store.cancel(first, tenant="a")
    assert hints()[0] in {waiting_for_both, other, second}
    for turn_id, tenant in ((waiting_for_both, "a"), (second, "b"), (other, "a")):
        store.cancel(turn_id, tenant=tenant)
    assert store.read_health().live_turns == 0


@pytest.mark.parametrize("lost", [keys.SLOTS, keys.SLOT_WAITERS])
def test_the_due_index_dispatches_a_forgotten_turn(
    store_with: StoreWith, hints: Hints, server: Server, lost: keys.Key
) -> None:
    store = store_with(tenant_concurrency=1)
    running, waiting = ask(store, 0), ask(store, 1)
    hints()
    server.raw.delete(lost("tenant:acme"))
    store.cancel(running, tenant="acme")
    server.raw.zadd(keys.DUE.name, {waiting: 1}, xx=True)
    store.rescue(worker="", hint="")
    assert hints() == [waiting]


def test_a_limit_that_is_removed_and_set_again_blocks_no_turn(
    store_with: StoreWith, hints: Hints, server: Server
) -> None:
    limited, free = store_with(tenant_concurrency=2), store_with(tenant_concurrency=0)
    for turn in [ask(limited, n) for n in range(3)]:
        free.cancel(turn, tenant="acme")
    assert not server.raw.exists(keys.SLOTS("tenant:acme"), keys.SLOT_WAITERS("tenant:acme"))
    hints()
    turns = [ask(limited, n) for n in range(2)]
    assert hints() == turns


def test_a_turn_without_a_record_keeps_no_slot(store_with: StoreWith, hints: Hints, server: Server) -> None:
    store = store_with(tenant_concurrency=2)
    lost, running, also_lost, waiting = (ask(store, n) for n in range(4))
    hints()
    server.raw.delete(keys.TURN(lost), keys.TURN(also_lost))
    store.cancel(running, tenant="acme")
    assert hints() == [waiting]
    following = ask(store, 9)
    assert hints() == [following]


def test_the_next_turn_unblocks_a_session_with_a_lost_head(store_with: StoreWith, hints: Hints, server: Server) -> None:
    store = store_with()
    lost, second = ask(store, 1), ask(store, 1)
    hints()
    server.raw.delete(keys.TURN(lost))
    third = ask(store, 1)
    assert hints() == [second]
    store.cancel(second, tenant="acme")
    assert hints() == [third]
    assert store.read_health().live_turns == 1


@pytest.mark.parametrize("position", [0, 1])
def test_a_session_with_a_lost_turn_can_be_cleared_and_erased(
    store_with: StoreWith, sessions: SessionStore, server: Server, position: int
) -> None:
    store = store_with()
    server.raw.delete(keys.TURN([ask(store, 1), ask(store, 1)][position]))
    store.accept(TurnRequest(session_id="s1", input="x", tenant="acme", on_busy=OnBusy.ROLLBACK))
    assert store.read_health().live_turns == 1
    server.raw.delete(keys.TURN(sessions.get_session("acme/-/s1").queued[0]))
    sessions.erase("acme/-/s1")
    assert store.read_health().live_turns == 0
