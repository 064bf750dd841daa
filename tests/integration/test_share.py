"""Room for everybody: of a tenant, and of the lane `batch`, only so many heads are out for a worker at once."""

from collections.abc import Callable

import pytest

from tests.server import Server
from turns import keys
from turns.assistants import Lane
from turns.codes import Code
from turns.retry import Retry
from turns.sessions import SessionStore
from turns.store import TurnStore
from turns.turn import Claim, OnBusy, TurnRequest

StoreWith = Callable[..., TurnStore]
Hints = Callable[[], list[str]]


def ask(store: TurnStore, n: int, *, tenant: str = "acme", lane: Lane = Lane.INTERACTIVE) -> str:
    return store.accept(TurnRequest(session_id=f"s{n}", input="x", tenant=tenant, lane=lane)).turn.id


def take(store: TurnStore, turn_id: str) -> Claim:
    claim = store.claim(turn_id, worker="w", model="m")
    assert claim is not None
    return claim


def test_a_tenant_has_so_many_heads_out_and_others_are_not_touched(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=2)
    turns = [ask(store, n) for n in range(5)]
    other = ask(store, 0, tenant="other")
    assert hints() == [*turns[:2], other]
    store.cancel(turns[0], tenant="acme")
    assert hints() == [turns[2]]


def test_the_next_one_goes_as_each_ends_or_waits(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=1)
    turns = [ask(store, n) for n in range(4)]
    hints()
    store.fail(take(store, turns[0]), Code.PROVIDER_ERROR)
    assert hints() == [turns[1]]
    store.retry(take(store, turns[1]), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    assert hints() == [turns[2]], "one that waits for its retry holds no place"
    store.release(turns[2], token=take(store, turns[2]).token)
    assert hints() == [turns[2]], "one that is handed back keeps its place"


def test_a_parked_turn_that_is_cancelled_frees_nothing(store_with: StoreWith, hints: Hints, server: Server) -> None:
    store = store_with(tenant_concurrency=1)
    running, parked, waiting = (ask(store, n) for n in range(3))
    hints()
    store.cancel(parked, tenant="acme")
    assert hints() == []
    assert server.raw.zrange(keys.PARKED("tenant:acme"), 0, -1) == [waiting.encode()]
    store.cancel(running, tenant="acme")
    assert hints() == [waiting]


def test_a_batch_leaves_room_for_those_who_wait(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(batch_concurrency=1)
    batch = [ask(store, n, lane=Lane.BATCH) for n in range(3)]
    now = [ask(store, n) for n in range(3, 6)]
    assert hints() == [batch[0], *now]
    store.cancel(batch[0], tenant="acme")
    assert hints() == [batch[1]]


def test_a_place_that_one_group_refuses_goes_to_who_can_take_it(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(tenant_concurrency=1, batch_concurrency=1)
    first = ask(store, 0, tenant="a", lane=Lane.BATCH)
    parked_by_both = ask(store, 1, tenant="a", lane=Lane.BATCH)
    second = ask(store, 0, tenant="b", lane=Lane.BATCH)
    other = ask(store, 2, tenant="a")
    assert hints() == [first]
    store.cancel(first, tenant="a")
    assert hints()[0] in {parked_by_both, other, second}
    for turn_id, tenant in ((parked_by_both, "a"), (second, "b"), (other, "a")):
        store.cancel(turn_id, tenant=tenant)
    assert store.health().live_turns == 0


@pytest.mark.parametrize("lost", [keys.OUT, keys.PARKED])
def test_the_due_index_finds_who_was_forgotten(
    store_with: StoreWith, hints: Hints, server: Server, lost: keys.Key
) -> None:
    store = store_with(tenant_concurrency=1)
    running, parked = ask(store, 0), ask(store, 1)
    hints()
    server.raw.delete(lost("tenant:acme"))
    store.cancel(running, tenant="acme")
    server.raw.zadd(keys.DUE.name, {parked: 1}, xx=True)
    store.rescue(worker="", hint="")
    assert hints() == [parked]


def test_a_limit_that_is_lifted_and_set_again_holds_nobody_up(
    store_with: StoreWith, hints: Hints, server: Server
) -> None:
    limited, free = store_with(tenant_concurrency=2), store_with(tenant_concurrency=0)
    for turn in [ask(limited, n) for n in range(3)]:
        free.cancel(turn, tenant="acme")
    assert not server.raw.exists(keys.OUT("tenant:acme"), keys.PARKED("tenant:acme"))
    hints()
    turns = [ask(limited, n) for n in range(2)]
    assert hints() == turns


def test_who_was_lost_with_its_record_keeps_no_place(store_with: StoreWith, hints: Hints, server: Server) -> None:
    store = store_with(tenant_concurrency=2)
    lost, running, parked, waiting = (ask(store, n) for n in range(4))
    hints()
    server.raw.delete(keys.TURN(lost), keys.TURN(parked))
    store.cancel(running, tenant="acme")
    assert hints() == [waiting]
    following = ask(store, 9)
    assert hints() == [following]


def test_a_lost_head_holds_its_session_up_no_longer_than_to_the_next_turn(
    store_with: StoreWith, hints: Hints, server: Server
) -> None:
    store = store_with()
    lost, second = ask(store, 1), ask(store, 1)
    hints()
    server.raw.delete(keys.TURN(lost))
    third = ask(store, 1)
    assert hints() == [second]
    store.cancel(second, tenant="acme")
    assert hints() == [third]
    assert store.health().live_turns == 1


@pytest.mark.parametrize("place", [0, 1])
def test_a_session_of_which_a_turn_was_lost_can_be_cleared_and_erased(
    store_with: StoreWith, sessions: SessionStore, server: Server, place: int
) -> None:
    store = store_with()
    server.raw.delete(keys.TURN([ask(store, 1), ask(store, 1)][place]))
    store.accept(TurnRequest(session_id="s1", input="x", tenant="acme", on_busy=OnBusy.ROLLBACK))
    assert store.health().live_turns == 1
    server.raw.delete(keys.TURN(sessions.read("acme/-/s1").queued[0]))
    sessions.erase("acme/-/s1")
    assert store.health().live_turns == 0
