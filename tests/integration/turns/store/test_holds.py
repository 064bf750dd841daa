"""Tests of holds: a model whose provider asks for a pause, or does not answer, gets one probe and then the others."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Hold, HoldReason, Retry
from turns.domain.state import Status
from turns.domain.turn_request import TurnRequest
from turns.store.holds import ModelHold, read_hold, read_holds
from turns.store.turns import TurnStore

StoreWith = Callable[..., TurnStore]
Hints = Callable[[], list[str]]
OUTAGE = Retry(after_seconds=0, counts=False, hold=Hold(reason=HoldReason.OUTAGE))


class Holds:
    """A store whose turns all use the model `m`, and the hints that its scripts send."""

    def __init__(self, store: TurnStore, server: Server, hints: Hints) -> None:
        self.store, self.server, self.hints = store, server, hints
        self._count = 0

    def ask(self, **request: object) -> str:
        self._count += 1
        return self.store.accept(TurnRequest(session_id=f"s{self._count}", input="x", **request)).turn.id  # type: ignore[arg-type]  # any field

    def try_claim(self, turn_id: str) -> Claim | None:
        return self.store.claim(turn_id, worker="w", model="m")

    def claim(self, turn_id: str) -> Claim:
        claim = self.try_claim(turn_id)
        assert claim is not None
        return claim

    def fail(self, claim: Claim, decision: Retry = OUTAGE, code: Code = Code.PROVIDER_ERROR) -> None:
        self.store.retry(claim, code, decision, model="m")

    def commit(self, claim: Claim) -> None:
        self.store.commit(claim, answer_to(claim), tail="")

    def hold_turns(self, count: int) -> list[str]:
        """Open a hold and let `count` turns wait for it; the first one opened it."""
        turns = [self.ask() for _ in range(count)]
        first = self.claim(turns[0])
        self.fail(first)
        assert [self.try_claim(turn) for turn in turns[1:]] == [None] * (count - 1)
        self.hints()
        return turns

    def end_pause(self) -> list[str]:
        """Let the time of the hold pass, and return the hints that are sent then."""
        self.server.raw.hset(keys.HOLD("m"), "until", 1)
        return self.check()

    def check(self) -> list[str]:
        """Let the time of the next check pass, and return the hints that are sent then."""
        self.server.raw.zadd(keys.HOLDS.name, {"m": 1}, xx=True)
        self.store.rescue(worker="", hint="")
        return self.hints()

    @property
    def current(self) -> ModelHold | None:
        return read_hold(self.store._client, "m")

    def pause_ms(self) -> int:
        assert self.current is not None
        seconds, microseconds = self.server.raw.time()
        return self.current.until - int(seconds) * 1000 - int(microseconds) // 1000


@pytest.fixture
def holds(store: TurnStore, server: Server, hints: Hints) -> Holds:
    return Holds(store, server, hints)


def test_a_hold_keeps_all_turns_of_the_model_waiting(holds: Holds) -> None:
    turns = holds.hold_turns(3)
    assert holds.try_claim(holds.ask()) is None
    [hold] = read_holds(holds.store._client)
    assert (hold.name, hold.reason, hold.code, hold.held_turns) == ("m", "outage", "provider_error", 4)
    assert not hold.is_reopening
    assert holds.store.get_turn(turns[0]).attempt == 1, "an outage costs no attempt"


def test_one_turn_probes_when_the_time_has_passed(holds: Holds) -> None:
    turns = holds.hold_turns(4)
    assert holds.check() == []
    [probe] = holds.end_pause()
    assert holds.check() == [], "one probe at a time"
    assert holds.try_claim(next(turn for turn in turns if turn != probe)) is None
    claim = holds.claim(probe)
    assert (claim.is_admitted, claim.is_probe) == (True, True)
    assert holds.check() == []


def test_the_waiting_turns_follow_the_probe_gradually(holds: Holds) -> None:
    turns = holds.hold_turns(8)
    [probe] = holds.end_pause()
    waiting = [turn for turn in turns if turn != probe]
    holds.commit(holds.claim(probe))
    assert holds.hints() == waiting[:2], "oldest first, two for one answer"
    newcomer = holds.ask()
    assert holds.try_claim(newcomer) is None, "no newcomer goes before the waiting turns"
    holds.hints()
    claims = [holds.claim(turn) for turn in waiting[:2]]
    assert [(claim.is_admitted, claim.is_probe) for claim in claims] == [(True, False)] * 2
    holds.store.reopen(claims[0])  # its first text has come
    assert holds.hints() == waiting[2:4]
    holds.commit(claims[0])
    assert holds.hints() == [], "each turn admits others once"
    holds.commit(claims[1])
    assert holds.hints() == waiting[4:6]
    holds.commit(holds.claim(waiting[2]))
    assert holds.hints() == [waiting[6], newcomer]
    holds.commit(holds.claim(newcomer))
    assert holds.current is None
    assert not holds.claim(holds.ask()).is_admitted


def test_each_failed_probe_doubles_the_time(holds: Holds) -> None:
    holds.hold_turns(3)
    assert 0 < holds.pause_ms() <= 1000
    for limit_ms in (2000, 4000, 8000, 15_000, 15_000):
        holds.fail(holds.claim(holds.end_pause()[0]))
        assert limit_ms - 500 < holds.pause_ms() <= limit_ms


def test_each_probe_is_another_turn(holds: Holds) -> None:
    """One turn whose request always fails does not keep the model from all others."""
    turns = holds.hold_turns(3)
    probes = []
    for _ in range(3):
        probes += holds.end_pause()
        holds.fail(holds.claim(probes[-1]))
    assert len(set(probes)) == 3
    assert set(probes) == set(turns)


def test_runs_from_before_the_hold_do_not_prolong_it(holds: Holds) -> None:
    early = [holds.claim(holds.ask()) for _ in range(5)]
    for claim in early:
        holds.fail(claim)
    assert 0 < holds.pause_ms() <= 1000
    assert holds.current is not None
    assert holds.current.held_turns == 5


def test_a_pause_has_a_maximum_and_grows_without_a_time(store_with: StoreWith, server: Server, hints: Hints) -> None:
    holds = Holds(store_with(longest_pause_seconds=30), server, hints)
    for seconds, limit_ms in ((80_000.0, 30_000), (None, 2000), (None, 4000), (7.0, 7000)):
        claim = holds.claim(holds.end_pause()[0] if holds.current else holds.ask())
        limited = Hold(reason=HoldReason.RATE_LIMITED, seconds=seconds)
        holds.fail(claim, Retry(after_seconds=0, counts=False, hold=limited), Code.PROVIDER_RATE_LIMITED)
        assert limit_ms - 500 < holds.pause_ms() <= limit_ms
    assert holds.store.get_turn(claim.turn_id).attempt == 1


def test_an_operator_lifts_a_hold_oldest_turns_first(holds: Holds) -> None:
    turns = holds.hold_turns(12)
    newcomer = holds.ask()
    holds.hints()
    assert holds.store.lift_hold("m")
    assert holds.hints() == turns[:10]
    assert holds.try_claim(newcomer) is None
    assert holds.current is not None
    assert holds.current.is_reopening
    holds.commit(holds.claim(turns[0]))
    assert holds.hints() == turns[10:]
    assert not holds.store.lift_hold("unknown")


def test_waiting_turns_go_on_although_no_answer_admits_them(holds: Holds) -> None:
    turns = holds.hold_turns(13)
    [probe] = holds.end_pause()
    holds.commit(holds.claim(probe))
    for turn in holds.hints():
        holds.store.cancel(turn)
    assert holds.check() == [turn for turn in turns if turn != probe][2:12]


def test_a_cancelled_probe_is_replaced(holds: Holds) -> None:
    turns = holds.hold_turns(3)
    [probe] = holds.end_pause()
    holds.store.cancel(probe)
    [other] = holds.check()
    assert other in set(turns) - {probe}


def test_a_turn_that_fails_by_itself_shows_that_the_model_answers(holds: Holds) -> None:
    holds.hold_turns(3)
    [probe] = holds.end_pause()
    holds.store.fail(holds.claim(probe), Code.PROVIDER_REJECTED)
    assert len(holds.hints()) == 2


def test_a_probe_whose_chain_fails_shows_nothing(holds: Holds) -> None:
    turns = holds.hold_turns(3)
    [probe] = holds.end_pause()
    holds.store.fail(holds.claim(probe), Code.CHAIN_ERROR)
    assert holds.hints() == []
    [other] = holds.check()
    assert other in set(turns) - {probe}


def test_an_admitted_turn_without_an_answer_admits_none(holds: Holds) -> None:
    holds.hold_turns(6)
    [probe] = holds.end_pause()
    holds.commit(holds.claim(probe))
    admitted = [holds.claim(turn) for turn in holds.hints()]
    assert len(admitted) == 2
    holds.fail(admitted[0], Retry(after_seconds=60), Code.PROVIDER_UNREACHABLE)
    assert holds.hints() == []


def test_a_turn_that_waited_too_long_fails_with_the_last_error(holds: Holds) -> None:
    turns = holds.hold_turns(3)
    holds.server.raw.zadd(keys.HELD("m"), {turns[1]: 1}, xx=True)
    holds.check()
    failed = holds.store.get_turn(turns[1])
    assert (failed.status, failed.error_code) == (Status.FAILED, Code.PROVIDER_ERROR)
    assert holds.current is not None
    assert holds.current.held_turns == 2


def test_a_turn_that_waits_for_a_model_still_expires(holds: Holds) -> None:
    holds.hold_turns(1)
    late = holds.ask(start_within_seconds=60)
    assert holds.try_claim(late) is None
    holds.server.raw.zadd(keys.START_BY.name, {late: 1}, xx=True)
    holds.check()
    assert holds.store.get_turn(late).status_reason == "expired"
    assert holds.current is not None
    assert holds.current.held_turns == 1


def test_a_hold_without_turns_is_forgotten(holds: Holds) -> None:
    [turn] = holds.hold_turns(1)
    holds.store.cancel(turn)
    holds.end_pause()
    assert holds.current is None
    assert read_holds(holds.store._client) == []


@pytest.mark.parametrize("lost", [keys.HOLD, keys.HELD])
def test_turns_go_on_if_the_store_lost_keys_of_the_hold(holds: Holds, lost: keys.Key) -> None:
    turns = holds.hold_turns(3)
    holds.server.raw.delete(lost("m"))
    if lost is keys.HOLD:
        assert set(holds.check()) == set(turns)
    else:
        holds.server.raw.hset(keys.HOLD("m"), "until", 1)
        for turn in turns:
            holds.server.raw.zadd(keys.DUE.name, {turn: 1}, xx=True)
        holds.store.rescue(worker="", hint="")
        assert holds.claim(holds.hints()[0]).is_probe


def test_a_free_fallback_is_used_during_a_hold(holds: Holds) -> None:
    holds.hold_turns(1)
    claim = holds.store.claim(holds.ask(), worker="w", model="m", fallback_model="f")
    assert claim is not None
    assert (claim.model, claim.is_admitted) == ("f", False)


def test_a_held_turn_that_an_earlier_release_runs_goes_on(holds: Holds) -> None:
    """A worker of a release that knows no holds leaves a turn in their list when it claims it."""
    _, running = holds.hold_turns(2)
    holds.server.raw.hset(keys.TURN(running), mapping={"status": "in_progress", "token": "t", "claims": 1})
    holds.server.raw.zadd(keys.HELD("m"), {running: 1}, xx=True)
    holds.check()
    holds.end_pause()
    assert holds.store.get_turn(running).status is Status.IN_PROGRESS
    assert holds.server.raw.zscore(keys.WAITING.name, running) is None


def test_a_held_turn_without_a_usable_record_delays_no_other(holds: Holds) -> None:
    broken, other = holds.hold_turns(2)
    holds.server.raw.delete(keys.TURN(broken))
    holds.server.raw.set(keys.TURN(broken), "foreign")
    holds.server.raw.zadd(keys.HELD("m"), {broken: 1}, xx=True)
    assert holds.end_pause() + holds.check() == [other]
    holds.server.raw.flushall()
