"""Damage by eviction, other programs or the clock is repaired, and stops nothing else."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.domain.ids import DEFAULT_TENANT, user_key
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.store import repair as repairs
from turns.store.turns import TurnStore

Hints = Callable[[], list[str]]
Repair = Callable[[], list[tuple[str, Reply]]]

HOUR_MS = 3_600_000
PER_TURN = [keys.TURN, keys.EVENTS]


@dataclass
class Turns:
    """The fixtures that take turns through their life."""

    accept: Callable[..., Turn]
    claim: Callable[[Turn], Claim]
    commit: Callable[[Claim], None]
    make_due: Callable[[Turn], None]


@pytest.fixture
def turns(
    accept: Callable[..., Turn],
    claim: Callable[[Turn], Claim],
    commit: Callable[[Claim], None],
    make_due: Callable[[Turn], None],
) -> Turns:
    return Turns(accept, claim, commit, make_due)


@pytest.fixture
def repair(store: TurnStore, server: Server) -> Repair:
    """Return a function that repairs, as it happens once a minute."""

    def repair() -> list[tuple[str, Reply]]:
        server.raw.delete(keys.REPAIRER.name)
        return list(store.repair(worker="w"))

    return repair


@pytest.mark.parametrize("family", PER_TURN, ids=lambda key: key.name)
def test_one_broken_entry_does_not_stop_the_others(
    turns: Turns, store: TurnStore, server: Server, family: keys.Key
) -> None:
    broken, sound = turns.accept(session_id="a"), turns.accept(session_id="b")
    for turn in (broken, sound):
        turns.claim(turn)
        turns.make_due(turn)
    server.raw.delete(family(broken.id))
    server.raw.set(family(broken.id), "foreign")
    assert dict(store.rescue(worker="", hint="")) == {broken.id: Reply.BROKEN, sound.id: Reply.RESCUED}
    assert store.rescue(worker="", hint="") == [], "it is set aside"
    assert store.read_metrics().counters["repaired"][("entry",)] == 1
    server.raw.flushall()


def test_foreign_members_of_the_indexes_stop_nothing(turns: Turns, store: TurnStore, server: Server) -> None:
    turn = turns.accept()
    turns.make_due(turn)
    for index in (keys.EXPIRING, keys.START_BY, keys.DUE):
        server.raw.zadd(index.name, {"foreign": 1})
    outcomes = store.rescue(worker="", hint="")
    assert (turn.id, Reply.WAITING) in outcomes or (turn.id, Reply.DISPATCHED) in outcomes
    server.raw.zrem(keys.EXPIRING.name, "foreign")


def test_a_turn_commits_although_the_next_one_is_lost(
    turns: Turns, store: TurnStore, server: Server, hints: Hints
) -> None:
    first, *lost, last = (turns.accept() for _ in range(4))
    claimed = turns.claim(first)
    server.raw.delete(keys.TURN(lost[0].id), keys.TURN(lost[1].id), *(keys.EVENTS(turn.id) for turn in lost))
    hints()
    turns.commit(claimed)
    assert store.get_turn(first.id).status is Status.COMPLETED
    assert hints() == [last.id]
    assert store.read_health().live_turns == 1
    turns.commit(turns.claim(last))
    assert store.read_health().live_turns == 0
    drop_lists_of(server, *lost)


def test_a_turn_commits_although_all_later_ones_are_lost(turns: Turns, store: TurnStore, server: Server) -> None:
    first, lost = turns.accept(), turns.accept()
    claimed = turns.claim(first)
    server.raw.set(keys.TURN(lost.id), "foreign")
    turns.commit(claimed)
    assert store.read_health().live_turns == 0
    assert server.raw.ttl(keys.HISTORY("s")) > 0, "the retention of the session has begun"
    server.raw.delete(keys.TURN(lost.id))
    drop_lists_of(server, lost)


def test_an_evicted_due_index_is_rebuilt(
    turns: Turns, store: TurnStore, server: Server, hints: Hints, repair: Repair
) -> None:
    queued, running = turns.accept(session_id="queued"), turns.accept(session_id="running")
    turns.claim(running)
    hints()
    server.raw.delete(keys.DUE.name)
    assert sorted(repair()) == sorted([(queued.session, Reply.RESTORED), (running.session, Reply.RESTORED)])
    assert store.rescue(worker="", hint="") == [(queued.id, Reply.DISPATCHED)]
    assert hints() == [queued.id]
    assert server.raw.zscore(keys.DUE.name, running.id), "its worker, if it lives, renews the lease before that"
    assert repair() == []


def test_a_session_whose_head_was_evicted_goes_on(turns: Turns, server: Server, hints: Hints, repair: Repair) -> None:
    lost, following = (turns.accept(user_id="alice") for _ in range(2))
    hints()
    server.raw.delete(keys.TURN(lost.id), keys.EVENTS(lost.id))
    assert repair() == [(lost.session, Reply.LOST)]
    assert hints() == [following.id]
    assert repair() == []
    lists = (keys.TURNS(DEFAULT_TENANT), keys.SESSION_TURNS(lost.session), keys.USER_TURNS(user_key("alice")))
    assert [server.raw.zrange(name, 0, -1) for name in lists] == [[following.id.encode()]] * 3


def test_the_retention_begins_if_all_turns_were_evicted(turns: Turns, server: Server, repair: Repair) -> None:
    lost = [turns.accept(), turns.accept()]
    server.raw.delete(*(key(turn.id) for turn in lost for key in PER_TURN))
    assert repair() == [(lost[0].session, Reply.LOST)]
    assert server.raw.ttl(keys.SESSION(lost[0].session)) > 0
    drop_lists_of(server, *lost)


def test_an_evicted_queue_is_restored_in_order(turns: Turns, store: TurnStore, server: Server) -> None:
    accepted = [turns.accept() for _ in range(3)]
    server.raw.delete(keys.QUEUE("s"), keys.HINTS.name)
    turns.make_due(accepted[0])
    assert store.rescue(worker="", hint="") == [(accepted[0].id, Reply.RESTORED)]
    for turn in accepted:
        turns.commit(turns.claim(turn))


@pytest.mark.parametrize("key", [keys.DUE, keys.WORKERS, keys.HINTS, keys.WAITING], ids=lambda key: key.name)
def test_a_key_of_another_type_is_set_aside(
    turns: Turns, store: TurnStore, server: Server, key: keys.Key, repair: Repair
) -> None:
    turns.accept()
    server.raw.delete(key.name)
    server.raw.set(key.name, "foreign")
    assert (key.name, Reply.BROKEN) in repair()
    assert server.raw.get(keys.SET_ASIDE(key.name)) == b"foreign"
    turns.accept(session_id="another")
    store.rescue(worker="w", hint="")


def test_repairs_begin_once_a_minute(turns: Turns, store: TurnStore, server: Server) -> None:
    assert list(store.repair(worker="a")) == []
    turns.accept()
    server.raw.delete(keys.DUE.name)
    assert list(store.repair(worker="b")) == []
    assert 50 < server.raw.ttl(keys.REPAIRER.name) <= 60
    server.raw.delete(keys.REPAIRER.name)
    assert len(list(store.repair(worker="b"))) == 1


def test_after_the_clock_was_set_back_dead_workers_are_noticed(turns: Turns, store: TurnStore, server: Server) -> None:
    turn = turns.accept()
    turns.claim(turn)
    now_ms = int(server.raw.time()[0]) * 1000
    server.raw.zadd(keys.WORKERS.name, {"dead": now_ms + HOUR_MS})
    server.raw.zadd(keys.DUE.name, {turn.id: now_ms + HOUR_MS})
    server.raw.hset(keys.SERVICE.name, "renewable_since", 1)
    assert store.rescue(worker="w", hint="") == [("", Reply.CLOCK_SET_BACK), (turn.id, Reply.WAITING)]
    assert server.raw.zrange(keys.WORKERS.name, 0, -1) == [b"w"]
    assert server.raw.zscore(keys.DUE.name, turn.id) <= now_ms + 8000, "its lease runs out as usual"
    assert store.rescue(worker="w", hint="") == []


def test_after_the_clock_was_set_back_leases_last_as_usual(turns: Turns, store: TurnStore, server: Server) -> None:
    turn = turns.accept()
    turns.claim(turn)
    now_ms = int(server.raw.time()[0]) * 1000
    server.raw.zadd(keys.WORKERS.name, {"died just before": now_ms - 10, "alive": now_ms + HOUR_MS})
    server.raw.hset(keys.SERVICE.name, "renewable_since", 1)
    assert store.rescue(worker="w", hint="") == [("", Reply.CLOCK_SET_BACK), (turn.id, Reply.WAITING)]


def drop_lists_of(server: Server, *lost: Turn) -> None:
    """Remove what a deleted record leaves behind until its retention ends, so that the check for leaks passes."""
    for turn in lost:
        server.raw.zrem(keys.TURNS(DEFAULT_TENANT), turn.id)
        server.raw.zrem(keys.SESSION_TURNS(turn.session), turn.id)
        for definition in server.raw.scan_iter(keys.DEFINITION("*")):
            server.raw.expire(definition, 1)


def test_a_repair_scans_in_steps_and_continues_where_it_was(
    turns: Turns, store: TurnStore, client: Client, server: Server
) -> None:
    lost = [turns.accept(session_id=f"s{n}") for n in range(3)]
    server.raw.mset({f"other:{n}": 1 for n in range(3000)})
    server.raw.zrem(keys.DUE.name, *(turn.id for turn in lost))
    repaired: list[str] = []

    def run(pause: Callable[[float], None]) -> None:
        server.raw.delete(keys.REPAIRER.name)
        for name, _ in repairs.repair(client, store._worker_scripts, worker="a", sleep=pause):
            repaired.append(name)

    def die(_seconds: float) -> None:
        assert 0 < server.raw.ttl(keys.REPAIRER.name) <= 60, "no other worker begins meanwhile"
        raise SystemExit

    with pytest.raises(SystemExit):
        run(die)
    rest: list[float] = []
    run(rest.append)
    assert sorted(repaired) == [turn.session for turn in lost]
    whole: list[float] = []
    run(whole.append)
    assert len(whole) == len(rest) + 1 >= 2
    server.raw.delete(*server.raw.scan_iter("other:*"))
