from collections.abc import Callable

from tests.server import Server
from turns import keys
from turns.codes import Code
from turns.replies import Reply
from turns.sessions import SessionStore
from turns.state import Status
from turns.store import TurnStore
from turns.turn import Claim, Turn

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
Lapse = Callable[[Turn], None]
Hints = Callable[[], list[str]]


def test_a_turn_whose_worker_died_gets_another_attempt(
    accept: Accept, claim: Take, lapse: Lapse, store: TurnStore, hints: Hints
) -> None:
    turn = accept()
    claim(turn)
    hints()
    lapse(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.RESCUED)]
    assert hints() == [turn.id]
    assert (store.read(turn.id).status, store.read(turn.id).attempt) == (Status.QUEUED, 2)


def test_a_turn_that_outlives_all_its_workers_fails_and_the_session_goes_on(
    accept: Accept, claim: Take, lapse: Lapse, store: TurnStore
) -> None:
    poison, following = accept(), accept()
    for _ in range(3):
        claim(poison)
        lapse(poison)
        store.rescue(worker="", hint="")
    failed = store.read(poison.id)
    assert (failed.status, failed.error_code) == (Status.FAILED, Code.WORKER_LOST)
    claim(following)


def test_a_lost_hint_is_sent_again(accept: Accept, lapse: Lapse, store: TurnStore, hints: Hints) -> None:
    turn = accept()
    assert hints() == [turn.id], "popped by a worker that then died"
    lapse(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.DISPATCHED)]
    assert hints() == [turn.id]


def test_a_hint_that_waits_in_a_long_queue_is_not_sent_again(
    accept: Accept, lapse: Lapse, store: TurnStore, hints: Hints
) -> None:
    turns = [accept(session_id=f"s{n}") for n in range(50)]
    for turn in turns:
        lapse(turn)
    assert {word for _, word in store.rescue(worker="", hint="")} == {Reply.WAITING}
    assert len(hints()) == 50


def test_a_lost_hint_is_found_behind_a_long_queue(
    accept: Accept, lapse: Lapse, store: TurnStore, server: Server, hints: Hints
) -> None:
    """The list is first in, first out: when a younger hint is the oldest there, this one is gone."""
    lost = accept(session_id="lost")
    server.raw.rpop(keys.HINTS.name)
    server.raw.hset(keys.TURN(lost.id), "hinted_at", 1)
    for n in range(10):
        accept(session_id=f"s{n}")
    lapse(lost)
    assert store.rescue(worker="", hint="") == [(lost.id, Reply.DISPATCHED)]
    assert hints()[-1] == lost.id


def test_the_hint_of_an_erased_turn_tells_nothing_of_others(
    accept: Accept, lapse: Lapse, store: TurnStore, sessions: SessionStore, hints: Hints
) -> None:
    accept(session_id="erased")
    waiting = accept(session_id="waits")
    sessions.erase("erased")
    for _ in range(3):
        lapse(waiting)
        assert store.rescue(worker="", hint="") == [(waiting.id, Reply.WAITING)]
    assert hints() == [waiting.id]


def test_after_the_clock_went_back_leases_run_from_then(
    accept: Accept, claim: Take, lapse: Lapse, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claim(turn)
    hour_ms = 3_600_000
    now_ms = int(server.raw.time()[0]) * 1000
    server.raw.hset(keys.SERVICE.name, "renewable_since", now_ms + hour_ms)
    lapse(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.WAITING)]
    assert server.raw.zscore(keys.DUE.name, turn.id) < now_ms + hour_ms / 2


def test_many_rescuers_dispatch_a_turn_once(accept: Accept, lapse: Lapse, store: TurnStore, hints: Hints) -> None:
    turn = accept()
    hints()
    lapse(turn)
    for worker in ("a", "b", "c"):
        store.rescue(worker=worker, hint="")
    assert len(hints()) == 1


def test_what_is_not_due_is_left_alone(accept: Accept, claim: Take, store: TurnStore) -> None:
    accept(session_id="queued")
    claim(accept(session_id="running"))
    assert store.rescue(worker="", hint="") == []


def test_a_worker_that_looks_is_a_worker_that_lives(store: TurnStore, server: Server) -> None:
    store.rescue(worker="w1", hint="")
    store.rescue(worker="w2", hint="")
    assert store.health().live_workers == 2
    store.leave("w1")
    assert store.health().live_workers == 1
    server.raw.zadd(keys.WORKERS.name, {"w2": 1})
    assert store.health().live_workers == 0
    store.rescue(worker="w3", hint="")
    assert server.raw.zrange(keys.WORKERS.name, 0, -1) == [b"w3"]


def test_an_entry_without_a_turn_leaves_the_index(store: TurnStore, server: Server) -> None:
    server.raw.zadd(keys.DUE.name, {"turn_gone": 1})
    assert store.rescue(worker="", hint="") == [("turn_gone", Reply.GONE)]
    assert server.raw.zcard(keys.DUE.name) == 0


def test_a_store_that_was_away_costs_no_lease(
    accept: Accept, claim: Take, lapse: Lapse, store: TurnStore, server: Server
) -> None:
    """Nobody could renew meanwhile; the first worker that reaches it again must not take all turns for orphans."""
    turn = accept()
    claimed = claim(turn)
    lapse(turn)
    server.raw.zadd(keys.WORKERS.name, {"w": 1})
    assert store.rescue(worker="w", hint="") == [(turn.id, Reply.WAITING)]
    assert store.renew([claimed]) == []
    assert store.read(turn.id).attempt == 1


def test_a_backlog_is_not_looked_at_more_often_than_it_moves(
    accept: Accept, lapse: Lapse, store: TurnStore, server: Server, hints: Hints
) -> None:
    turn = accept()
    now = server.raw.time()[0] * 1000
    server.raw.hset(keys.TURN(turn.id), "hinted_at", now - 60_000)
    lapse(turn)
    store.rescue(worker="", hint="")
    assert server.raw.zscore(keys.DUE.name, turn.id) >= now + 29_000
