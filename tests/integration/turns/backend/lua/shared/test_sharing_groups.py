"""Tests of the share of the workers' capacity that the turns of one model and of one tenant may use."""

from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.run.retry import Retry
from turns.domain.turn_request import TurnRequest
from turns.domain.wait_reason import Reason
from turns.domain.worker_kind import WorkerKind, worker_name
from turns.operations.wait_diagnosis import read_session_queue
from turns.store.turns import TurnStore

StoreWith = Callable[..., TurnStore]
Hints = Callable[[], list[str]]
HINT = "turn_" + "0" * 32
CAPACITY = 20  # of which one model uses 18, and one tenant 19
HANGS = Assistant(name="hangs", model="slow")
OTHER = Assistant(name="other", model="fast")


def beat(store: TurnStore, *, slots: int = CAPACITY, worker: str = "host:1:x") -> None:
    """Send a heartbeat, which also serves the groups for which turns wait."""
    store.rescue(worker=worker, hint=HINT, slots=slots)


@pytest.fixture
def ask(store: TurnStore, hints: Hints) -> Callable[..., list[str]]:
    """Return a function that submits turns, each in its own session, and returns their ids."""
    beat(store)
    count = 0

    def ask(number: int = 1, assistant: Assistant = HANGS, tenant: str = "-") -> list[str]:
        nonlocal count
        turns = []
        for _ in range(number):
            count += 1
            request = TurnRequest(session_id=f"s{count}", input="x", assistant=assistant, tenant=tenant)
            turns.append(store.accept(request).turn.id)
        return turns

    return ask


Ask = Callable[..., list[str]]


@pytest.fixture
def check_crowded(server: Server) -> Callable[[], None]:
    """Return a function that makes all groups due for which turns wait."""

    def check_crowded() -> None:
        for name in server.raw.zrange(keys.CROWDED.name, 0, -1):
            server.raw.zadd(keys.CROWDED.name, {name: 1})

    return check_crowded


def is_shared(server: Server) -> bool:
    return bool(server.raw.hexists(keys.SERVICE.name, "shared_since"))


def counted(server: Server, name: str = "loop") -> int:
    return int(server.raw.scard(keys.SLOTS(name)))


def test_a_model_that_hangs_leaves_slots_for_others(ask: Ask, hints: Hints) -> None:
    hanging = ask(30)
    assert hints() == hanging[:18]
    other = ask(1, OTHER)
    assert hints() == other
    assert hints() == []


def test_several_models_that_hang_leave_a_slot(ask: Ask, hints: Hints) -> None:
    first = ask(30)
    models = [Assistant(name=f"hangs{n}", model=f"slow{n}") for n in range(3)]
    later = [turn for model in models for turn in ask(5, model)]
    assert hints() == [*first[:18], later[0], later[5], later[10]], "each model has at least one slot"


def test_a_busy_tenant_leaves_slots_of_its_model(ask: Ask, hints: Hints) -> None:
    busy = ask(30, tenant="busy")
    assert hints() == busy[:18]
    idle = ask(2, tenant="idle")
    assert hints() == idle[:1]


def test_a_tenant_with_a_hanging_model_uses_others(ask: Ask, hints: Hints) -> None:
    hanging = ask(30, tenant="busy")
    own_others = ask(2, OTHER, tenant="busy")
    assert hints() == [*hanging[:18], own_others[0]]
    idle = ask(1, Assistant(name="third", model="third"), tenant="idle")
    assert hints() == idle


def test_nothing_is_counted_until_the_workers_fill_up(ask: Ask, server: Server) -> None:
    ask(18)
    assert not is_shared(server)
    assert list(server.raw.scan_iter(keys.SLOTS("*"))) == []
    ask(1)
    assert is_shared(server)
    assert counted(server) == 18


def test_turns_that_wait_for_a_retry_are_not_counted(ask: Ask, hints: Hints, store: TurnStore, server: Server) -> None:
    running, retried, *_ = ask(18)
    assert store.claim(running, worker="w", model="slow")
    claim = store.claim(retried, worker="w", model="slow")
    assert claim is not None
    store.retry(claim, Code.PROVIDER_ERROR, Retry(after_seconds=60), model="slow")
    hints()
    following = ask(3)
    assert hints() == following[:1]
    assert counted(server, "loop/model:slow") == 18


def test_waiting_turns_start_in_order_as_slots_free_up(ask: Ask, hints: Hints, store: TurnStore) -> None:
    first, second, *_ = hanging = ask(20)
    hints()
    store.cancel(first)
    newest = ask(1)
    store.cancel(second)
    assert hints() == hanging[18:], "the newest turn waits behind the others"
    store.cancel(hanging[2])
    assert hints() == newest


def test_a_newcomer_does_not_overtake_waiting_turns(
    ask: Ask, hints: Hints, store: TurnStore, check_crowded: Callable[[], None]
) -> None:
    other = ask(2, OTHER)
    hanging = ask(20)
    assert hints() == [*other, *hanging[:16]]
    for turn in other:
        store.cancel(turn)
    newest = ask(1)
    assert hints() == []
    check_crowded()
    beat(store)
    assert hints() == hanging[16:18]
    assert newest[0] not in hints()


def test_a_session_of_a_waiting_turn_keeps_its_order(ask: Ask, hints: Hints, store: TurnStore) -> None:
    first = ask(18)
    waiting = store.accept(TurnRequest(session_id="in order", input="1", assistant=HANGS)).turn
    following = store.accept(TurnRequest(session_id="in order", input="2", assistant=OTHER)).turn
    hints()
    assert store.claim(following.id, worker="w", model="m") is None
    store.cancel(first[0])
    assert hints() == [waiting.id]
    store.cancel(waiting.id)
    assert hints() == [following.id]


def test_the_last_turns_end_the_sharing(
    ask: Ask, hints: Hints, store: TurnStore, server: Server, check_crowded: Callable[[], None]
) -> None:
    turns = ask(30)
    for turn in turns[:18]:
        server.raw.delete(keys.SLOT_WAITERS("loop/model:slow"))  # as if their dispatch had got lost
        store.cancel(turn)
    for turn in turns[18:21]:
        store.cancel(turn)
    assert is_shared(server)
    beat(store)
    assert not is_shared(server)
    for turn in turns[21:]:
        store.cancel(turn)
    check_crowded()
    beat(store)
    assert not server.raw.exists(keys.CROWDED.name)
    assert list(server.raw.scan_iter(keys.SLOTS("*"))) == []


def test_waiting_turns_start_when_the_capacity_grows(
    ask: Ask, hints: Hints, store: TurnStore, server: Server, check_crowded: Callable[[], None]
) -> None:
    hanging = ask(30)
    hints()
    beat(store, worker="host:2:y")
    check_crowded()
    beat(store)
    assert hints() == hanging[18:]
    assert not server.raw.exists(keys.SLOT_WAITERS("loop/model:slow"))


def test_the_capacity_is_that_of_live_workers(store: TurnStore, server: Server) -> None:
    def capacity() -> bytes | None:
        value: bytes | None = server.raw.hget(keys.SERVICE.name, "capacity")
        return value

    beat(store)
    beat(store, worker="host:2:y", slots=30)
    assert capacity() == b"50"
    server.raw.zadd(keys.WORKERS.name, {"host:2:y": 1}, xx=True)
    beat(store)
    assert capacity() == b"20"
    assert server.raw.hkeys(keys.WORKER_SLOTS.name) == [b"host:1:x"]
    beat(store, worker="host:3:z", slots=0)
    assert capacity() == b"", "an earlier release does not say how many turns its workers can run"


def test_few_slots_are_not_shared(ask: Ask, hints: Hints, store: TurnStore) -> None:
    beat(store, slots=9)
    turns = ask(12)
    assert hints() == turns


def test_a_share_of_all_slots_is_no_limit(store_with: StoreWith, hints: Hints) -> None:
    store = store_with(max_share_percent=100)
    beat(store)
    turns = [
        store.accept(TurnRequest(session_id=f"s{n}", input="x", assistant=HANGS)).turn.id for n in range(CAPACITY + 5)
    ]
    assert hints() == turns


def test_a_custom_chain_shares_the_chain_workers(ask: Ask, hints: Hints, store: TurnStore, server: Server) -> None:
    beat(store, slots=10, worker=worker_name("host", 2, "x", WorkerKind.CHAINS))
    server.raw.hset(keys.SERVICE.name, "chain_hint", HINT)
    turns = ask(12, Assistant(name="rag", chain="a:b"))
    assert server.raw.llen(keys.CHAIN_HINTS.name) == 9
    assert counted(server, "chains/chain:rag") == 9
    assert ask() == hints(), "the other workers are free"
    store.cancel(turns[0])
    assert server.raw.llen(keys.CHAIN_HINTS.name) == 10


def test_a_lost_record_keeps_no_share(
    ask: Ask, hints: Hints, store: TurnStore, server: Server, check_crowded: Callable[[], None]
) -> None:
    turns = ask(20)
    hints()
    server.raw.delete(*(keys.TURN(turn) for turn in turns[:18]))
    for _ in range(10):
        beat(store)
    assert counted(server) == 0
    check_crowded()
    beat(store)
    assert hints() == turns[18:]


def test_a_foreign_record_does_not_keep_others_out(ask: Ask, hints: Hints, server: Server) -> None:
    turns = ask(17)
    server.raw.set(keys.TURN(turns[0]), "foreign")
    assert hints() == turns
    later = ask(5)
    assert is_shared(server)
    assert hints() == later[:2]
    server.raw.delete(keys.TURN(turns[0]))


def test_a_turn_that_waits_for_its_share_says_so(ask: Ask, hints: Hints, client: Client, store: TurnStore) -> None:
    ask(22)
    [why] = read_session_queue(client, "s22").why
    assert why.reason is Reason.PARKED
    assert why.message == "The model slow uses its share of the workers, 18 slots; 3 other turns are before this one."
    assert store.read_metrics().held[Reason.PARKED] == 4


def test_a_late_hint_of_a_waiting_turn_does_no_harm(ask: Ask, hints: Hints, store: TurnStore, server: Server) -> None:
    first, *_, waiting = ask(19)
    claim = store.claim(waiting, worker="w", model="slow")
    assert claim is not None
    due = server.raw.zscore(keys.DUE.name, waiting)
    hints()
    store.cancel(first)
    assert hints() == []
    assert server.raw.zscore(keys.DUE.name, waiting) == due, "its lease is as it was"
    assert not server.raw.exists(keys.SLOT_WAITERS("loop/model:slow"))


def test_the_turns_of_a_lost_worker_stay_within_the_share(
    ask: Ask, hints: Hints, store: TurnStore, server: Server
) -> None:
    hanging = ask(20)
    for turn in hanging[:18]:
        assert store.claim(turn, worker="w", model="slow")
    hints()
    assert {turn for turn, _ in store.rescue_worker("w")} == set(hanging[:18])
    assert len(hints()) == counted(server) == 18
    assert server.raw.zcard(keys.SLOT_WAITERS("loop/model:slow")) == 2
