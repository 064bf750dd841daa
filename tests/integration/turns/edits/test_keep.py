import pytest

from tests.integration.turns.edits.conftest import Chat, answer_of
from turns.domain.errors import LeaseLost
from turns.domain.state import Status


def test_a_stopped_turn_keeps_its_partial_answer(chat: Chat) -> None:
    turn = chat.accept("one")
    claimed = chat.claim(turn)
    for _ in range(2):
        assert chat.store.cancel(turn.id, keeps=True).status is Status.IN_PROGRESS
    [(token, _)] = chat.store.renew([claimed])
    assert token == claimed.token
    chat.store.interrupt(claimed, answer_of(claimed, "half"), tail="")
    ended = chat.store.get_turn(turn.id)
    assert (ended.status, ended.status_reason) == (Status.INCOMPLETE, "stopped")
    assert chat.history() == ["one", "half"]
    chat.run(chat.regenerate(turn.id), "whole")
    assert chat.history() == ["one", "whole"]


def test_a_queued_turn_is_cancelled_without_a_trace(chat: Chat) -> None:
    turn = chat.accept("one")
    assert chat.store.cancel(turn.id, keeps=True).status is Status.CANCELLED
    assert chat.history() == []


def test_a_stopped_turn_can_still_be_cancelled(chat: Chat) -> None:
    claimed = chat.claim(chat.accept("one"))
    chat.store.cancel(claimed.turn_id, keeps=True)
    assert chat.store.cancel(claimed.turn_id).status is Status.CANCELLED
    with pytest.raises(LeaseLost):
        chat.store.interrupt(claimed, answer_of(claimed, "half"), tail="")
    assert chat.history() == []


def test_an_answer_that_was_complete_is_committed(chat: Chat) -> None:
    claimed = chat.claim(chat.accept("one"))
    chat.store.cancel(claimed.turn_id, keeps=True)
    chat.store.commit(claimed, answer_of(claimed, "1"), tail="")
    assert chat.store.cancel(claimed.turn_id, keeps=True).status is Status.COMPLETED
