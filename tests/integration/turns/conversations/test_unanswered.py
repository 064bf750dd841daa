"""A session keeps the questions that got no answer, beyond the records of their turns."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound
from turns.domain.turn import Turn
from turns.domain.turn_request import OnBusy
from turns.store.sessions import MAX_UNANSWERED, SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
Claimed = Callable[..., Any]


def questions(sessions: SessionStore) -> list[str]:
    return [question.question for question in sessions.list_unanswered("s")]


@pytest.fixture
def fail(store: TurnStore, accept: Accept, claim: Claimed) -> Callable[[str], str]:
    """Return a function that lets a question fail and returns the id of its turn."""

    def fail(text: str) -> str:
        turn = accept(text)
        store.fail(claim(turn), Code.PROVIDER_QUOTA)
        return turn.id

    return fail


@pytest.fixture
def answered(store: TurnStore, accept: Accept, claim: Claimed) -> str:
    """Complete a turn and return its id."""
    turn = claim(accept("one"))
    store.commit(turn, answer_to(turn), tail="")
    return str(turn.turn_id)


@pytest.mark.usefixtures("answered")
def test_a_failed_question_outlives_its_record(
    fail: Callable[[str], str], sessions: SessionStore, server: Server
) -> None:
    failed = fail("two")
    server.raw.delete(keys.TURN(failed))
    [kept] = sessions.list_unanswered("s")
    assert (kept.turn_id, kept.sequence, kept.after, kept.question) == (failed, 2, 2, "two")
    assert (kept.status, kept.reason, kept.is_cut) == ("failed", "provider_quota", False)
    assert kept.failure is not None
    assert kept.accepted_at <= kept.finished_at


def test_cancelled_and_expired_questions_are_kept(
    accept: Accept, store: TurnStore, sessions: SessionStore, server: Server
) -> None:
    running = accept("running")
    store.cancel(accept("cancelled").id)
    late = accept("late", start_within_seconds=60)
    store.cancel(running.id)
    server.raw.hset(keys.TURN(late.id), "start_by", 1)
    assert store.claim(late.id, worker="w") is None
    kept = sessions.list_unanswered("s")
    assert [(one.question, one.status, one.reason) for one in kept] == [
        ("running", "cancelled", ""),
        ("cancelled", "cancelled", ""),
        ("late", "incomplete", "expired"),
    ]
    assert [one.failure for one in kept] == [None] * 3


def test_answered_and_replaced_questions_are_not_kept(
    answered: str, accept: Accept, claim: Claimed, store: TurnStore, sessions: SessionStore
) -> None:
    store.fail(claim(accept("edited", regenerates=answered)), Code.PROVIDER_QUOTA)
    stopped = claim(accept("stopped"))
    store.cancel(stopped.turn_id, keeps=True)
    store.interrupt(stopped, answer_to(stopped), tail="")
    assert questions(sessions) == []


def test_only_the_last_questions_are_kept_and_cut(fail: Callable[[str], str], sessions: SessionStore) -> None:
    for n in range(MAX_UNANSWERED + 2):
        fail(f"{n} " + "ä" * 600)
    kept = sessions.list_unanswered("s")
    assert [one.sequence for one in kept] == list(range(3, MAX_UNANSWERED + 3))
    assert {one.question for one in kept if one.sequence == 5} == {"4 " + "ä" * 499}
    assert all(one.is_cut for one in kept)


def test_a_retried_question_is_not_kept_twice(
    fail: Callable[[str], str], store: TurnStore, claim: Claimed, sessions: SessionStore
) -> None:
    failed = fail("again")
    retried = store.retry_failed(failed, find=lambda name: Assistant(name=name)).turn
    assert questions(sessions) == []
    store.fail(claim(retried), Code.PROVIDER_QUOTA)
    assert [one.turn_id for one in sessions.list_unanswered("s")] == [retried.id]


def test_an_erased_session_keeps_no_question(
    fail: Callable[[str], str], accept: Accept, sessions: SessionStore
) -> None:
    fail("one")
    accept("running")
    accept("instead", on_busy=OnBusy.ROLLBACK)
    assert questions(sessions) == ["one", "running"]
    sessions.erase("s")
    with pytest.raises(SessionNotFound):
        sessions.list_unanswered("s")
