from collections.abc import Callable

from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
MakeDue = Callable[[Turn], None]
Hints = Callable[[], list[str]]
Lose = Callable[..., None]


def test_a_turn_whose_worker_died_runs_again_at_once(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore, hints: Hints
) -> None:
    turn = accept()
    claim(turn)
    hints()
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.RESCUED)]
    assert hints() == [turn.id]
    queued = store.get_turn(turn.id)
    assert (queued.status, queued.attempt, queued.losses) == (Status.QUEUED, 1, 1)


def test_a_turn_whose_workers_all_died_fails(accept: Accept, claim: ClaimTurn, lose: Lose, store: TurnStore) -> None:
    poison, following = accept(), accept()
    lose(poison, times=6)
    failed = store.get_turn(poison.id)
    assert (failed.status, failed.error_code, failed.losses) == (Status.FAILED, Code.WORKER_LOST, 6)
    claim(following)


def test_a_lost_hint_is_sent_again(accept: Accept, make_due: MakeDue, store: TurnStore, hints: Hints) -> None:
    turn = accept()
    assert hints() == [turn.id], "a worker popped it and died"
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.DISPATCHED)]
    assert hints() == [turn.id]


def test_a_hint_that_is_still_queued_is_not_sent_again(
    accept: Accept, make_due: MakeDue, store: TurnStore, hints: Hints
) -> None:
    turns = [accept(session_id=f"s{n}") for n in range(50)]
    for turn in turns:
        make_due(turn)
    assert {outcome for _, outcome in store.rescue(worker="", hint="")} == {Reply.WAITING}
    assert len(hints()) == 50


def test_a_lost_hint_is_noticed_despite_a_long_queue(
    accept: Accept, make_due: MakeDue, store: TurnStore, server: Server, hints: Hints
) -> None:
    """The list is first in, first out: if the oldest hint in it is younger than this one, this one is gone."""
    lost = accept(session_id="lost")
    server.raw.rpop(keys.HINTS.name)
    server.raw.hset(keys.TURN(lost.id), "hinted_at", 1)
    for n in range(10):
        accept(session_id=f"s{n}")
    make_due(lost)
    assert store.rescue(worker="", hint="") == [(lost.id, Reply.DISPATCHED)]
    assert hints()[-1] == lost.id


def test_the_hint_of_an_erased_turn_is_skipped(
    accept: Accept, make_due: MakeDue, store: TurnStore, sessions: SessionStore, hints: Hints
) -> None:
    accept(session_id="erased")
    waiting = accept(session_id="waits")
    sessions.erase("erased")
    for _ in range(3):
        make_due(waiting)
        assert store.rescue(worker="", hint="") == [(waiting.id, Reply.WAITING)]
    assert hints() == [waiting.id]


def test_after_the_clock_was_set_back_leases_run_from_then(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore, server: Server
) -> None:
    turn = accept()
    claim(turn)
    hour_ms = 3_600_000
    now_ms = int(server.raw.time()[0]) * 1000
    server.raw.hset(keys.SERVICE.name, "renewable_since", now_ms + hour_ms)
    make_due(turn)
    assert store.rescue(worker="", hint="") == [(turn.id, Reply.WAITING)]
    assert server.raw.zscore(keys.DUE.name, turn.id) < now_ms + hour_ms / 2


def test_many_rescuers_dispatch_a_turn_once(accept: Accept, make_due: MakeDue, store: TurnStore, hints: Hints) -> None:
    turn = accept()
    hints()
    make_due(turn)
    for worker in ("a", "b", "c"):
        store.rescue(worker=worker, hint="")
    assert len(hints()) == 1


def test_turns_that_are_not_due_are_unchanged(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    accept(session_id="queued")
    claim(accept(session_id="running"))
    assert store.rescue(worker="", hint="") == []


def test_a_worker_that_rescues_is_alive(store: TurnStore, server: Server) -> None:
    store.rescue(worker="w1", hint="")
    store.rescue(worker="w2", hint="")
    assert store.read_health().live_workers == 2
    store.remove_worker("w1")
    assert store.read_health().live_workers == 1
    server.raw.zadd(keys.WORKERS.name, {"w2": 1})
    assert store.read_health().live_workers == 0
    store.rescue(worker="w3", hint="")
    assert server.raw.zrange(keys.WORKERS.name, 0, -1) == [b"w3"]


def test_an_entry_without_a_turn_leaves_the_index(store: TurnStore, server: Server) -> None:
    server.raw.zadd(keys.DUE.name, {"turn_gone": 1})
    assert store.rescue(worker="", hint="") == [("turn_gone", Reply.GONE)]
    assert server.raw.zcard(keys.DUE.name) == 0


def test_a_store_that_was_away_costs_no_lease(
    accept: Accept, claim: ClaimTurn, make_due: MakeDue, store: TurnStore, server: Server
) -> None:
    """No lease could be renewed meanwhile, so the first worker that reconnects must not rescue all turns."""
    turn = accept()
    claimed = claim(turn)
    make_due(turn)
    server.raw.zadd(keys.WORKERS.name, {"w": 1})
    assert store.rescue(worker="w", hint="") == [(turn.id, Reply.WAITING)]
    assert store.renew([claimed]) == []
    assert store.get_turn(turn.id).attempt == 1


def test_a_long_backlog_is_checked_less_often(
    accept: Accept, make_due: MakeDue, store: TurnStore, server: Server, hints: Hints
) -> None:
    turn = accept()
    now = server.raw.time()[0] * 1000
    server.raw.hset(keys.TURN(turn.id), "hinted_at", now - 60_000)
    make_due(turn)
    store.rescue(worker="", hint="")
    assert server.raw.zscore(keys.DUE.name, turn.id) >= now + 29_000
