"""Tests of lost workers: they are counted apart from attempts, delay a turn, and put it into ever smaller groups."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.integration.conftest import answer_to, send_heartbeat
from tests.support.server import Server
from turns.backend import keys
from turns.domain.assistant import Lane
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.retry import COHORTS, Retry
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.store.turns import TurnStore


@dataclass(frozen=True)
class Turns:
    """Turns of a store, by id, whose workers are lost and whose delays end when a test wants it."""

    store: TurnStore
    server: Server
    hints: Callable[[], list[str]]

    def accept(self, session_id: str = "s", lane: Lane = Lane.INTERACTIVE) -> str:
        return self.store.accept(TurnRequest(session_id=session_id, input="x", lane=lane)).turn.id

    def claim(self, turn_id: str) -> Claim:
        claim = self.store.claim(turn_id, worker="w", model="m")
        assert claim is not None
        return claim

    def make_due(self, turn_id: str) -> None:
        """Let the lease run out, or the delay end."""
        send_heartbeat(self.server)
        assert self.server.raw.zadd(keys.DUE.name, {turn_id: 1}, xx=True, ch=True) == 1
        self.store.rescue(worker="", hint="")

    def lose(self, turn_id: str, times: int = 1) -> None:
        """Lose a worker with a head, or several, each time after the delay of the loss before."""
        for _ in range(times):
            if self.store.claim(turn_id, worker="w", model="m") is None:
                self.make_due(turn_id)
                self.claim(turn_id)
            self.make_due(turn_id)

    def run_at(self, turn_id: str) -> float:
        return float(self.server.raw.hget(keys.TURN(turn_id), "retry_at"))

    def groups(self, *names: str) -> set[str]:
        """Return those of the groups in which a turn has a slot."""
        return {name for name in names if self.server.raw.exists(keys.SLOTS(name))}


@pytest.fixture
def turns(store: TurnStore, server: Server, hints: Callable[[], list[str]]) -> Turns:
    return Turns(store, server, hints)


def test_a_lost_worker_does_not_count_as_an_attempt(turns: Turns) -> None:
    turn = turns.accept()
    turns.lose(turn, times=4)
    turns.make_due(turn)
    claim = turns.claim(turn)
    assert (claim.attempt, claim.losses, claim.number) == (1, 4, 5)
    turns.store.retry(claim, Code.PROVIDER_ERROR, Retry(after_seconds=0), model="m")
    retried = turns.store.get_turn(turn)
    assert (retried.attempt, retried.losses) == (2, 4)


@pytest.mark.parametrize(("losses", "ceiling_ms"), [(2, 2_000), (3, 4_000), (4, 8_000), (5, 16_000)])
def test_the_delay_doubles_from_the_second_loss_on(turns: Turns, losses: int, ceiling_ms: int) -> None:
    turn = turns.accept()
    turns.lose(turn, times=losses)
    seconds, microseconds = turns.server.raw.time()
    delay_ms = turns.run_at(turn) - seconds * 1000 - microseconds / 1000
    assert ceiling_ms / 2 - 900 < delay_ms <= ceiling_ms
    assert turns.store.claim(turn, worker="w") is None


def test_turns_lost_together_do_not_run_again_together(turns: Turns) -> None:
    lost = [turns.accept(f"s{n}") for n in range(20)]
    for turn in lost:
        turns.lose(turn, times=2)
    starts = list(map(turns.run_at, lost))
    assert max(starts) - min(starts) > 500, "half of the ceiling of two seconds is jitter"


@pytest.mark.parametrize(("losses", "size"), list(enumerate(COHORTS, start=1)))
def test_few_turns_that_lost_workers_run_at_once(turns: Turns, losses: int, size: int) -> None:
    lost = [turns.accept(f"s{n}") for n in range(size + 2)]
    for turn in lost:
        turns.lose(turn, times=losses - 1)
    for turn in lost:
        if losses > 2:
            turns.make_due(turn)
        turns.store.claim(turn, worker="w")  # fewer than all, if they have a group already
    turns.store.rescue_worker("w")
    for turn in lost:
        turns.make_due(turn)
    running = [turn for turn in lost if turns.store.claim(turn, worker="w")]
    assert len(running) == size
    turns.claim(turns.accept("another"))


def test_a_turn_of_a_full_group_waits_despite_its_hint(turns: Turns) -> None:
    first, second = turns.accept("a"), turns.accept("b")
    for turn in (first, second):
        turns.lose(turn, times=3)
    turns.hints()
    for turn in (first, second):
        turns.make_due(turn)
    assert turns.hints() == [first]
    assert turns.store.claim(second, worker="w") is None, "a duplicated hint must not bring the two together"
    turns.store.fail(turns.claim(first), Code.PROVIDER_ERROR)
    assert turns.hints() == [second]
    turns.claim(second)


@pytest.mark.parametrize("end", ["cancel", "lose", "retry"])
def test_the_slot_of_a_group_is_passed_on(turns: Turns, end: str) -> None:
    first, second = turns.accept("a"), turns.accept("b")
    for turn in (first, second):
        turns.lose(turn, times=3)
    for turn in (first, second):
        turns.make_due(turn)
    turns.hints()
    match end:
        case "cancel":
            turns.store.cancel(first)
        case "lose":
            turns.lose(first)
        case _:
            turns.store.retry(turns.claim(first), Code.PROVIDER_ERROR, Retry(after_seconds=60), model="m")
    assert turns.hints() == [second]


def test_a_turn_moves_from_group_to_group(turns: Turns) -> None:
    turn = turns.accept()
    turns.lose(turn)
    assert turns.groups("losses:1", "losses:2") == {"losses:1"}
    turns.lose(turn)
    assert turns.groups("losses:1", "losses:2") == set(), "it waits without a slot"
    turns.make_due(turn)
    assert turns.groups("losses:1", "losses:2") == {"losses:2"}


def test_a_batch_turn_keeps_to_both_limits(turns: Turns) -> None:
    turn = turns.accept(lane=Lane.BATCH)
    turns.lose(turn)
    assert turns.groups("lane:batch", "losses:1") == {"lane:batch", "losses:1"}
    turns.store.cancel(turn)
    assert turns.groups("lane:batch", "losses:1") == set()


def test_a_lost_turn_of_a_full_tenant_runs_next(
    store_with: Callable[..., TurnStore], server: Server, hints: Callable[[], list[str]]
) -> None:
    turns = Turns(store_with(tenant_concurrency=1), server, hints)
    lost, following = turns.accept("lost"), turns.accept("following")
    others = [turns.accept(f"s{n}") for n in range(3)]
    turns.hints()
    turns.lose(lost)
    assert turns.hints() == [following], "it has given up its slot"
    turns.store.fail(turns.claim(following), Code.PROVIDER_ERROR)
    assert turns.hints() == [lost]
    for turn in (lost, *others):
        turns.store.cancel(turn)


def test_turns_behind_a_lost_one_keep_their_order(turns: Turns) -> None:
    first, second = turns.accept(), turns.accept()
    turns.lose(first, times=3)
    assert turns.store.claim(second, worker="w") is None
    turns.make_due(first)
    for turn in (first, second):
        claim = turns.claim(turn)
        turns.store.commit(claim, answer_to(claim), tail="")
    assert turns.store.get_turn(second).status is Status.COMPLETED


def test_a_dead_worker_loses_all_of_its_turns_at_once(turns: Turns) -> None:
    mine, other = [turns.accept(f"s{n}") for n in range(3)], turns.accept("other")
    for turn in mine:
        turns.claim(turn)
    kept = turns.store.claim(other, worker="other")
    turns.hints()
    assert {turn for turn, _ in turns.store.rescue_worker("w")} == set(mine)
    assert set(turns.hints()) == set(mine)
    assert {turns.store.get_turn(turn).losses for turn in mine} == {1}
    assert kept is not None
    assert turns.store.renew([kept]) == []
    assert turns.store.rescue_worker("w") == []
