from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.errors import IdempotencyKeyReused, Overloaded, SessionBacklogFull, SessionBusy, StoreUnavailable
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn, WaitingFor
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.store.turns import TurnStore, to_turn

StoreWith = Callable[..., TurnStore]
Accept = Callable[..., Turn]
Hints = Callable[[], list[str]]


def test_the_first_turn_of_a_session_is_dispatched_at_once(accept: Accept, hints: Hints) -> None:
    turn = accept()
    assert turn.status is Status.QUEUED
    assert turn.sequence == 1
    assert turn.waiting is not None
    assert turn.waiting.waiting_for is WaitingFor.WORKER
    assert hints() == [turn.id]


def test_a_second_turn_waits_for_the_first_outside_the_broker(accept: Accept, hints: Hints) -> None:
    first, second = accept(), accept()
    assert hints() == [first.id]
    assert second.waiting is not None
    assert (second.waiting.position, second.waiting.waiting_for, second.waiting.turn_id) == (
        2,
        WaitingFor.TURN,
        first.id,
    )


def test_the_due_index_has_the_turn_before_any_worker_started(accept: Accept, server: Server) -> None:
    turn = accept()
    assert server.raw.llen(keys.HINTS.name) == 0
    assert server.raw.zscore(keys.DUE.name, turn.id) is not None


def test_the_same_key_and_request_give_the_same_turn(store: TurnStore) -> None:
    request = TurnRequest(session_id="s", input="hello", idempotency_key="k")
    first, again = store.accept(request), store.accept(request)
    assert (first.replayed, again.replayed) == (False, True)
    assert again.turn.id == first.turn.id
    assert store.read_health().live_turns == 1


def test_a_replay_returns_the_turn_as_it_is_now(
    store: TurnStore, claim: Callable[[Turn], Claim], commit: Callable[[Claim], None]
) -> None:
    request = TurnRequest(session_id="s", input="hello", idempotency_key="k")
    commit(claim(store.accept(request).turn))
    assert store.accept(request).turn.status is Status.COMPLETED


def test_the_same_key_with_another_request_is_refused(store: TurnStore) -> None:
    store.accept(TurnRequest(session_id="s", input="hello", idempotency_key="k"))
    with pytest.raises(IdempotencyKeyReused):
        store.accept(TurnRequest(session_id="s", input="goodbye", idempotency_key="k"))
    assert store.read_health().live_turns == 1


def test_reject_refuses_a_busy_session_and_stores_nothing(accept: Accept, server: Server) -> None:
    accept()
    before = server.raw.dbsize()
    with pytest.raises(SessionBusy):
        accept(on_busy=OnBusy.REJECT)
    assert server.raw.dbsize() == before


def test_reject_accepts_an_idle_session(accept: Accept) -> None:
    assert accept(on_busy=OnBusy.REJECT).sequence == 1


def test_a_full_session_refuses_and_others_do_not(store_with: StoreWith) -> None:
    store = store_with(session_backlog=2)
    for _ in range(2):
        store.accept(TurnRequest(session_id="full", input="x"))
    with pytest.raises(SessionBacklogFull):
        store.accept(TurnRequest(session_id="full", input="x"))
    store.accept(TurnRequest(session_id="other", input="x"))


def test_all_sessions_together_have_a_limit(store_with: StoreWith) -> None:
    store = store_with(max_live_turns=2)
    for n in range(2):
        store.accept(TurnRequest(session_id=f"s{n}", input="x"))
    with pytest.raises(Overloaded):
        store.accept(TurnRequest(session_id="s3", input="x"))


def test_an_accept_whose_reply_was_lost_is_recorded_once(store: TurnStore, server: Server) -> None:
    """The Redis client repeats the command with the same arguments."""
    turn_id = "turn_" + "1" * 32

    def again() -> tuple[Reply, Turn]:
        outcome, shown, _ = store._scripts.accept(turn_id, TurnRequest(session_id="s", input="x"))
        assert shown
        return outcome, to_turn(shown)

    assert again() == again()
    assert server.raw.lrange(keys.QUEUE("s"), 0, -1) == [turn_id.encode()]


@pytest.mark.parametrize("trouble", ["memory is full", "it is a replica"])
def test_a_store_that_cannot_write_refuses_cleanly(store: TurnStore, server: Server, trouble: str) -> None:
    if trouble == "memory is full":
        server.raw.config_set("maxmemory", 1)
    else:
        server.raw.replicaof("127.0.0.1", 1)
    try:
        with pytest.raises(StoreUnavailable) as error:
            store.accept(TurnRequest(session_id="s", input="x"))
    finally:
        server.raw.config_set("maxmemory", 0)
        server.raw.replicaof("NO", "ONE")
    assert error.value.refused
    assert set(server.raw.keys()) <= {keys.METRICS.name.encode()}, "at most the refusal is counted"


def test_sessions_of_one_name_differ_by_user(accept: Accept) -> None:
    assert accept(session_id="s").sequence == 1
    assert accept(session_id="s", user_id="alice").sequence == 1
    assert accept(session_id="s", user_id="bob").sequence == 1
