import pytest

from tests.integration.turns.edits.conftest import Chat, answer_of, with_tool
from turns.domain.error_codes import Code
from turns.domain.errors import SessionBusy, TurnNotFound, TurnNotLast
from turns.domain.ids import DEFAULT_TENANT


def test_the_last_turn_is_deleted_with_its_messages(chat: Chat) -> None:
    first = chat.complete("one", "1")
    last = chat.claim(chat.accept("two"))
    chat.store.commit(last, with_tool(answer_of(last, "2"), last), tail="")
    before = chat.version
    for _ in range(2):  # as if the first reply had been lost
        chat.delete(last.turn_id)
    assert chat.history() == ["one", "1"]
    assert chat.version > before
    with pytest.raises(TurnNotFound):
        chat.store.get_turn(last.turn_id)
    assert [turn.id for turn in chat.store.list_turns(limit=10).turns] == [first]
    chat.run(chat.regenerate(first), "eins")
    chat.run(chat.accept("zwei"), "2")
    assert chat.history() == ["one", "eins", "zwei", "2"]


def test_a_turn_without_messages_is_deleted_alone(chat: Chat) -> None:
    chat.complete("one", "1")
    failed = chat.accept("two")
    chat.store.fail(chat.claim(failed), Code.PROVIDER_QUOTA)
    chat.complete("three", "3")
    chat.delete(failed.id)
    assert chat.sessions.list_unanswered("s") == ()
    assert chat.history() == ["one", "1", "three", "3"]
    with pytest.raises(TurnNotFound):
        chat.store.get_turn(failed.id)


def test_the_key_of_a_deleted_turn_can_be_used_again(chat: Chat) -> None:
    turn = chat.accept("one", idempotency_key="k")
    chat.run(turn)
    chat.delete(turn.id)
    assert chat.accept("another", idempotency_key="k").id != turn.id


def test_an_unfit_deletion_changes_nothing(chat: Chat) -> None:
    first, last = chat.complete("one", "1"), chat.complete("two", "2")
    with pytest.raises(TurnNotLast):
        chat.delete(first)
    with pytest.raises(TurnNotFound):
        chat.delete(last, tenant="other")
    live = chat.regenerate(last)
    for turn_id in (last, live.id):
        with pytest.raises(SessionBusy):
            chat.delete(turn_id)
    assert chat.history() == ["one", "1", "two", "2"]
    with pytest.raises(TurnNotFound):
        chat.delete("nonsense", tenant=DEFAULT_TENANT)
