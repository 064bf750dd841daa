from collections.abc import Callable

import pytest

from tests.integration.turns.edits.conftest import Chat, answer_of, with_tool
from turns.config.settings import Settings
from turns.domain.errors import (
    IdempotencyKeyReused,
    RateLimited,
    SessionChanged,
    SessionNotEmpty,
    SessionNotFound,
    TurnNotCommitted,
    TurnNotFound,
)
from turns.edits.regeneration import Fork
from turns.store.turns import TurnStore


@pytest.fixture
def turns(chat: Chat) -> list[str]:
    """Return the ids of three completed turns, of which the second used a tool."""
    first = chat.complete("one", "1")
    second = chat.claim(chat.accept("two"))
    chat.store.commit(second, with_tool(answer_of(second, "2"), second), tail="")
    return [first, second.turn_id, chat.complete("three", "3")]


def test_a_fork_has_the_messages_up_to_a_turn(chat: Chat, turns: list[str]) -> None:
    forked = chat.fork("f", turn_id=turns[1])
    assert (forked.session.message_count, forked.session.forked_from) == (6, "s")
    assert chat.history("f") == ["one", "1", "two", "2"]
    chat.fork("g", turn_id=turns[1], before=True)
    assert chat.history("g") == ["one", "1"]
    chat.fork("h", turn_id=turns[0], before=True)
    assert chat.history("h") == []
    chat.fork("i")
    assert chat.history("i") == chat.history() == ["one", "1", "two", "2", "three", "3"]


def test_both_sessions_go_on_independently(chat: Chat, turns: list[str]) -> None:
    chat.fork("f", turn_id=turns[0])
    chat.run(chat.accept("zwei", session_id="f"), "2")
    assert chat.history("f") == ["one", "1", "zwei", "2"]
    assert chat.history() == ["one", "1", "two", "2", "three", "3"]


def test_a_fork_keeps_its_title_and_time_after_a_turn(chat: Chat, turns: list[str]) -> None:
    forked = chat.fork("f", turn_id=turns[0]).session
    chat.run(chat.accept("zwei", session_id="f"), "2")
    later = chat.sessions.get_session("f")
    assert later.title == forked.title == chat.sessions.get_session("s").title == "one"
    assert later.created_at == forked.created_at


def test_a_fork_gets_the_whole_title_of_its_source(chat: Chat, turns: list[str]) -> None:
    title = "ä" * 200
    chat.sessions.patch_session("s", {"title": title}, user_id=None)
    assert chat.fork("f", turn_id=turns[0]).session.title == title
    turn = chat.regenerate(turns[1], input="zwei")
    assert chat.sessions.get_session(turn.session_id).title == title


def test_a_fork_without_messages_gets_its_title_later(chat: Chat, turns: list[str]) -> None:
    assert chat.fork("f", turn_id=turns[0], before=True).session.title is None
    chat.accept("eins", session_id="f")
    assert chat.sessions.get_session("f").title == "eins"


def test_a_busy_session_can_be_forked(chat: Chat, turns: list[str]) -> None:
    chat.claim(chat.accept("four"))
    assert chat.fork("f").session.is_busy is False
    assert chat.history("f") == chat.history()


def test_a_repeated_fork_changes_nothing(chat: Chat, turns: list[str]) -> None:
    assert not chat.fork("f", turn_id=turns[0]).replayed
    chat.run(chat.accept("zwei", session_id="f"), "2")
    chat.sessions.erase("s")
    assert chat.fork("f", turn_id=turns[0]).replayed
    assert chat.history("f") == ["one", "1", "zwei", "2"]


def test_an_unfit_fork_is_refused(chat: Chat, turns: list[str]) -> None:
    live = chat.accept("live", session_id="busy")
    for target in ("s", "busy"):
        with pytest.raises(SessionNotEmpty):
            chat.fork(target, turn_id=turns[0])
    with pytest.raises(SessionNotFound):
        chat.fork("f", session_id="unknown")
    with pytest.raises(TurnNotFound):
        chat.fork("f", turn_id=live.id)  # of another session
    with pytest.raises(TurnNotFound):
        chat.fork("f", turn_id=turns[0], tenant="other")
    with pytest.raises(TurnNotCommitted):
        chat.fork("f", turn_id=chat.accept().id)
    with pytest.raises(SessionNotFound):
        chat.sessions.get_session("f")


def test_a_fork_counts_in_the_rate_of_its_tenant(chat_with: Callable[..., Chat], store: TurnStore) -> None:
    chat = chat_with(tenant_turns_per_minute=6)
    chat.complete()
    chat.fork("f")
    with pytest.raises(RateLimited):
        chat.fork("g")


def test_a_fork_keeps_the_retention_and_expires(chat: Chat, settings: Settings, turns: list[str]) -> None:
    assert chat.fork("f").session.ttl_seconds == settings.session_ttl_seconds


def test_an_earlier_turn_is_regenerated_in_a_fork(chat: Chat, turns: list[str]) -> None:
    turn = chat.regenerate(turns[1], input="zwei", session_id="f")
    assert (turn.session_id, turn.forked_from, turn.regenerates) == ("f", "s", turns[1])
    forked = chat.sessions.get_session("f")
    assert (forked.forked_from, forked.title) == ("s", "one")
    assert chat.history("f") == ["one", "1"]
    chat.run(turn, "2")
    assert chat.history("f") == ["one", "1", "zwei", "2"]
    assert chat.history() == ["one", "1", "two", "2", "three", "3"]
    assert chat.store.get_turn(turns[1]).superseded_by is None


def test_the_first_turn_is_regenerated_in_an_empty_fork(chat: Chat, turns: list[str]) -> None:
    turn = chat.regenerate(turns[0], input="eins")
    assert turn.session_id.startswith("fork-")
    chat.run(turn, "1")
    assert chat.history(turn.session_id) == ["eins", "1"]
    assert chat.sessions.get_session(turn.session_id).title == "eins"


def test_the_last_turn_is_regenerated_in_a_fork_on_request(chat: Chat, turns: list[str]) -> None:
    chat.run(chat.regenerate(turns[2], fork=Fork.ALWAYS, session_id="f"), "drei")
    assert chat.history("f") == ["one", "1", "two", "2", "three", "drei"]
    with pytest.raises(SessionNotEmpty):
        chat.regenerate(turns[1], session_id="f")


@pytest.mark.parametrize("fork", [Fork.ALWAYS, Fork.IF_EARLIER])
def test_a_fork_requires_the_version_that_its_caller_knows(chat: Chat, turns: list[str], fork: Fork) -> None:
    with pytest.raises(SessionChanged):
        chat.regenerate(turns[0], fork=fork, if_version=chat.version - 1)
    assert chat.regenerate(turns[0], fork=fork, if_version=chat.version).forked_from == "s"


def test_a_repeated_regeneration_finds_its_fork(chat: Chat, turns: list[str]) -> None:
    turn = chat.regenerate(turns[0], key="k", input="eins")
    chat.run(turn, "1")
    again = chat.regenerate(turns[0], key="k", input="eins")
    assert again.id == turn.id
    assert chat.history(turn.session_id) == ["eins", "1"]


def test_an_idempotency_key_names_one_fork(chat: Chat, turns: list[str]) -> None:
    forked = chat.fork(key="k", turn_id=turns[0])
    again = chat.fork(key="k", turn_id=turns[0])
    assert (again.session.session_id, again.replayed) == (forked.session.session_id, True)
    with pytest.raises(IdempotencyKeyReused):
        chat.fork(key="k", turn_id=turns[1])
    assert chat.fork().session.session_id != chat.fork().session.session_id
