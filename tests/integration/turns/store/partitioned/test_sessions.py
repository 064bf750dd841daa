"""The session store over 24 partitions."""

import pytest

from turns.config.settings import Settings
from turns.conversations.conversations import Conversations, SessionCount
from turns.conversations.session_filter import SessionFilter
from turns.domain.errors import ConfigurationError, SessionNotFound
from turns.domain.messages import Message
from turns.domain.session import Session
from turns.domain.turn_request import TurnRequest
from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore

MESSAGES = [
    Message(number=n, role=role, content="hello", turn_id=None) for n, role in enumerate(("user", "assistant"), 1)
]


def test_a_session_is_imported_read_and_erased(sessions: PartitionedSessionStore, store: PartitionedTurnStore) -> None:
    names = [f"s-{n}" for n in range(30)]
    for name in names:
        assert not sessions.import_messages(MESSAGES, session_id=name, user_id=None).replayed
        assert sessions.get_session(name).message_count == 2
        assert sessions.list_messages(name, after=None, limit=9, newest_first=False).messages
    assert sessions.count_sessions() == 30
    for name in names:
        sessions.erase(name)
        with pytest.raises(SessionNotFound):
            sessions.get_session(name)
    assert sessions.count_sessions() == 0


def test_a_list_has_the_sessions_of_all_partitions(
    sessions: PartitionedSessionStore, store: PartitionedTurnStore
) -> None:
    for n in range(40):
        store.accept(TurnRequest(session_id=f"s-{n}", input="hello", user_id="alice" if n % 2 else None))
    found: list[Session] = []
    after = None
    while True:
        page = sessions.list_sessions(after=after, limit=7)
        found += page.sessions
        if (after := page.after) is None:
            break
        assert len(page.sessions) == 7
    assert {session.session_id for session in found} == {f"s-{n}" for n in range(40)}
    assert len(found) == 40
    times = [session.active_at or 0 for session in found]
    assert times == sorted(times, reverse=True)


def test_sessions_of_a_cluster_stay_in_their_tenant(sessions: PartitionedSessionStore) -> None:
    with pytest.raises(ConfigurationError, match="cannot be given to another tenant"):
        sessions.adopt_all(tenant="acme")


@pytest.mark.parametrize("user_id", [None, "alice"])
def test_sessions_are_listed_counted_and_changed_in_all_partitions(
    sessions: PartitionedSessionStore, settings: Settings, store: PartitionedTurnStore, user_id: str | None
) -> None:
    for n in range(40):
        store.accept(TurnRequest(session_id=f"s-{n}", input="hello", user_id="alice"))
    conversations = Conversations(sessions, settings)
    archived = SessionFilter(archived=True)
    for n in range(0, 40, 2):
        assert conversations.patch(f"s-{n}", {"archived": True}, user_id="alice").is_archived
    found: list[str] = []
    after = None
    while True:
        page = conversations.list(archived, user_id=user_id, after=after, limit=3)
        found += [session.session_id for session in page.sessions]
        if (after := page.after) is None:
            break
    assert sorted(found) == sorted(f"s-{n}" for n in range(0, 40, 2))
    assert conversations.count(archived, user_id=user_id) == SessionCount(20, is_exact=True)
