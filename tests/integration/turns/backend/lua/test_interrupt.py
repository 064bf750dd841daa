"""Tests of turns that do not wait: `interrupt` keeps the partial answer of the running turn, `rollback` nothing."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to, events, history
from tests.support.server import Server
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy, TurnRequest
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
Hints = Callable[[], list[str]]


def test_interrupt_cancels_waiting_turns_and_stops_the_running_one(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, hints: Hints
) -> None:
    running, waiting = accept(), accept()
    claimed = claim(running)
    hints()
    newer = accept(on_busy=OnBusy.INTERRUPT)
    assert store.get_turn(waiting.id).status is Status.CANCELLED
    assert store.get_turn(running.id).status is Status.IN_PROGRESS
    assert hints() == []
    store.interrupt(claimed, answer_to(claimed), tail="")
    ended = store.get_turn(running.id)
    assert (ended.status, ended.status_reason) == (Status.INCOMPLETE, "interrupted")
    assert history(server) == [answer_to(claimed).question_message, answer_to(claimed).answer_message]
    assert hints() == [newer.id]


def test_an_interrupted_turn_without_text_keeps_its_question(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    store.interrupt(claimed, replace(answer_to(claimed), answer_message="", output=""), tail="")
    assert history(server) == [answer_to(claimed).question_message]


def test_an_answer_that_was_committed_first_is_complete(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    claimed = claim(accept())
    accept(on_busy=OnBusy.INTERRUPT)
    store.commit(claimed, answer_to(claimed), tail="")
    assert store.get_turn(claimed.turn_id).status is Status.COMPLETED
    with pytest.raises(LeaseLost):
        store.interrupt(claimed, answer_to(claimed), tail="")


def test_an_interrupt_whose_reply_was_lost_takes_effect_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    for _ in range(2):
        store.interrupt(claimed, answer_to(claimed), tail="")
    assert len(history(server)) == 2


def test_the_next_worker_reads_the_text_of_a_dead_one(
    accept: Accept, claim: ClaimTurn, make_due: Callable[[Turn], None], store: TurnStore
) -> None:
    turn = accept()
    dead = claim(turn)
    store.emit([dead.delta(0, "Once ")])
    store.emit([dead.delta(5, "upon")])
    accept(on_busy=OnBusy.INTERRUPT)
    make_due(turn)
    store.rescue(worker="", hint="")
    following = claim(turn)
    assert following.superseded
    assert store.emitted_text(following) == "Once upon"


def test_the_text_of_a_failed_attempt_is_void(accept: Accept, claim: ClaimTurn, store: TurnStore) -> None:
    turn = accept()
    failed = claim(turn)
    store.emit([failed.delta(0, "half a")])
    store.retry(failed, Code.INCOMPLETE_ANSWER, Retry(after_seconds=0), model="m")
    following = claim(turn)
    accept(on_busy=OnBusy.INTERRUPT)
    assert store.emitted_text(following) == ""


def test_rollback_leaves_no_trace_and_starts_at_once(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server, hints: Hints
) -> None:
    running, waiting = accept(), accept()
    claimed = claim(running)
    hints()
    newer = accept(on_busy=OnBusy.ROLLBACK)
    assert [store.get_turn(turn.id).status for turn in (running, waiting)] == [Status.CANCELLED] * 2
    assert hints() == [newer.id]
    with pytest.raises(LeaseLost):
        store.commit(claimed, answer_to(claimed), tail="")
    assert history(server) == []
    assert events(server, running)[-1][1] == "done"


@pytest.mark.parametrize("on_busy", [OnBusy.INTERRUPT, OnBusy.ROLLBACK])
def test_an_idle_session_accepts_an_interrupt_or_rollback(accept: Accept, claim: ClaimTurn, on_busy: OnBusy) -> None:
    claim(accept(on_busy=on_busy))


@pytest.mark.parametrize("on_busy", [OnBusy.INTERRUPT, OnBusy.ROLLBACK])
def test_a_queued_head_is_cancelled_without_another_hint(
    accept: Accept, store: TurnStore, hints: Hints, on_busy: OnBusy
) -> None:
    first, second = accept(), accept()
    hints()
    newer = accept(on_busy=on_busy)
    assert [store.get_turn(turn.id).status for turn in (first, second)] == [Status.CANCELLED] * 2
    assert hints() == [newer.id]


def test_a_full_session_can_still_be_cleared(store_with: Callable[..., TurnStore]) -> None:
    store = store_with(session_backlog=1)
    store.accept(TurnRequest(session_id="s", input="x"))
    store.accept(TurnRequest(session_id="s", input="x", on_busy=OnBusy.ROLLBACK))
    assert store.read_health().live_turns == 1
