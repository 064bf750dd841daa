import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.conversations.conversations import CHUNK, Conversations, SessionCount
from turns.conversations.session_filter import SessionFilter
from turns.domain.errors import InvalidRequest, SessionChanged, SessionNotFound
from turns.domain.ids import session_key
from turns.domain.messages import Message
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.session_store import open_session_store
from turns.store.pruning import prune_sessions
from turns.store.session_scripts import SessionScripts
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ANY = SessionFilter()
DAY = 86_400.0


@pytest.fixture
def conversations(sessions: SessionStore, settings: Settings) -> Conversations:
    return Conversations(sessions, settings)


@pytest.fixture
def complete(accept: Accept, claim: Callable[..., Any], commit: Callable[..., None]) -> Callable[..., None]:
    """Return a function that completes one turn of a session."""
    return lambda session_id, text="hello", **more: commit(claim(accept(text, session_id=session_id, **more)))


def ids(found: Any) -> list[str]:
    return [session.session_id for session in found.sessions]


def all_ids(conversations: Conversations, wanted: SessionFilter = ANY, *, limit: int = 2, **more: Any) -> list[str]:
    found, after = [], None
    while True:
        page = conversations.list(wanted, after=after, limit=limit, **more)
        found += ids(page)
        if (after := page.after) is None:
            return found


def test_the_first_line_of_the_first_message_is_the_title(accept: Accept, sessions: SessionStore) -> None:
    accept("\n  What does cosine mean?\nAnd sine?")
    accept("Another question")
    assert sessions.get_session("s").title == "What does cosine mean?"


@pytest.mark.parametrize("length", range(58, 64))
def test_a_title_is_cut_after_a_whole_character(accept: Accept, sessions: SessionStore, length: int) -> None:
    accept("a" * length + "äöü🙂漢字" * 10)
    title = sessions.get_session("s").title or ""
    assert title.startswith("a" * min(length, 61))
    assert title.endswith("…")
    assert "\ufffd" not in title


def test_imported_messages_have_a_title(sessions: SessionStore) -> None:
    messages = [Message(number=1, role="user", content="From elsewhere", turn_id=None)]
    assert sessions.import_messages(messages, session_id="s", user_id=None).session.title == "From elsewhere"


def test_the_first_turn_after_an_import_keeps_title_and_time(accept: Accept, sessions: SessionStore) -> None:
    imported = sessions.import_messages(
        [Message(number=1, role="user", content="before", turn_id=None)], session_id="s", user_id=None
    ).session
    accept("after", session_id="s")
    later = sessions.get_session("s")
    assert (later.title, later.created_at) == ("before", imported.created_at)


def test_a_session_is_renamed_until_its_name_is_removed(accept: Accept, conversations: Conversations) -> None:
    accept("hello")
    assert conversations.patch("s", {"title": "Greetings"}).title == "Greetings"
    accept("again")
    assert conversations.patch("s", {"archived": True}).title == "Greetings"
    assert conversations.patch("s", {"title": None}).title == "hello"


def test_labels_are_merged(accept: Accept, conversations: Conversations) -> None:
    accept()
    conversations.patch("s", {"metadata": {"course": "algebra", "term": "1"}})
    session = conversations.patch("s", {"metadata": {"term": None, "room": "7"}})
    assert session.metadata == {"course": "algebra", "room": "7"}
    assert conversations.patch("s", {"metadata": {"course": None, "room": None}}).metadata == {}


def test_labels_are_limited(accept: Accept, conversations: Conversations) -> None:
    accept()
    conversations.patch("s", {"metadata": {str(n): "x" for n in range(16)}})
    with pytest.raises(InvalidRequest, match=r"metadata: must have at most 16"):
        conversations.patch("s", {"title": "new", "metadata": {"one": "more"}})
    session = conversations.patch("s", {"metadata": {"0": None, "one": "more"}})
    assert (len(session.metadata), session.title) == (16, "hello")


def test_a_change_raises_the_version_once(accept: Accept, conversations: Conversations) -> None:
    accept()
    version = conversations.patch("s", {"title": "a"}).version
    assert conversations.patch("s", {"title": "b"}, if_version=version).version == version + 1
    assert conversations.patch("s", {"title": "b"}, if_version=version).version == version + 1, "it was sent twice"
    with pytest.raises(SessionChanged):
        conversations.patch("s", {"title": "c"}, if_version=version)
    assert conversations.patch("s", {}).title == "b"


def test_an_unknown_session_cannot_be_changed(accept: Accept, conversations: Conversations, server: Server) -> None:
    accept(session_id="s", user_id="alice")
    for user_id, tenant in ((None, "-"), ("bob", "-"), ("alice", "acme")):
        with pytest.raises(SessionNotFound):
            conversations.patch("s", {"title": "x"}, user_id=user_id, tenant=tenant)
    assert server.raw.exists(keys.SESSION("s"), keys.SESSION(session_key("s", "alice", "acme"))) == 0


def test_a_session_has_its_own_retention(
    complete: Callable[..., None], conversations: Conversations, server: Server
) -> None:
    complete("s")
    assert conversations.patch("s", {"ttl_seconds": DAY}).ttl_seconds == DAY
    for _ in range(2):  # at once, and after a further turn
        for key in (keys.SESSION("s"), keys.HISTORY("s")):
            assert DAY - 60 < server.raw.ttl(key) <= DAY
        complete("s")
    assert conversations.patch("s", {"ttl_seconds": None}).ttl_seconds is None
    for _ in range(2):
        assert server.raw.ttl(keys.SESSION("s")) == server.raw.ttl(keys.HISTORY("s")) == -1
        complete("s")
    conversations.patch("s", {"ttl_seconds": DAY})


def test_a_rename_does_not_prolong_the_retention(
    complete: Callable[..., None], conversations: Conversations, server: Server
) -> None:
    complete("s")
    server.raw.expire(keys.SESSION("s"), 100)
    conversations.patch("s", {"title": "new"})
    assert 0 < server.raw.ttl(keys.SESSION("s")) <= 100


def test_a_retention_below_that_of_results_is_refused(accept: Accept, conversations: Conversations) -> None:
    accept()
    with pytest.raises(InvalidRequest, match="ttl_seconds: must be null or at least 86400"):
        conversations.patch("s", {"ttl_seconds": 60.0})


def test_a_session_in_files_has_no_own_retention(client: Client, settings: Settings, tmp_path: Path) -> None:
    settings = settings.model_copy(update={"history": f"file:{tmp_path}"})
    in_files = Conversations(open_session_store(client, settings), settings)
    with pytest.raises(InvalidRequest, match="ttl_seconds: cannot be changed while histories are files"):
        in_files.patch("s", {"ttl_seconds": None})


def test_all_sessions_can_be_kept_for_ever(
    client: Client, settings: Settings, store_with: Callable[..., TurnStore], server: Server
) -> None:
    store = store_with(session_ttl_seconds=0.0)
    store.cancel(store.accept(TurnRequest(session_id="s", input="x")).turn.id)
    assert server.raw.ttl(keys.SESSION("s")) == -1
    forever = SessionStore(client, settings.model_copy(update={"session_ttl_seconds": 0.0}))
    assert forever.get_session("s").ttl_seconds is None


def test_another_program_s_session_can_be_renamed(conversations: Conversations, server: Server) -> None:
    server.raw.lpush(keys.HISTORY("theirs"), '{"type": "human", "data": {"content": "hi"}}')
    assert conversations.patch("theirs", {"title": "Theirs"}).session_id == "theirs"
    assert server.raw.ttl(keys.SESSION("theirs")) > 0


def test_sessions_are_filtered(complete: Callable[..., None], conversations: Conversations) -> None:
    for name, title in (("a", "Großer Plan für Köln"), ("b", "the plan"), ("c", "Other things 🦊")):
        complete(name, title)
    conversations.patch("a", {"archived": True, "metadata": {"plan": "pro", "x:y": "z"}})
    conversations.patch("b", {"metadata": {"plan": "free"}})
    expected = [
        (SessionFilter(archived=True), ["a"]),
        (SessionFilter(archived=False), ["c", "b"]),
        (SessionFilter(metadata=("plan:pro",)), ["a"]),
        (SessionFilter(metadata=("x:y:z", "plan:pro")), ["a"]),
        (SessionFilter(metadata=("x:y:z", "plan:free")), []),
        (SessionFilter(words="PLAN"), ["b", "a"]),
        (SessionFilter(words="kö gross"), ["a"]),
        (SessionFilter(words=unicodedata.normalize("NFD", "kö")), ["a"]),
        (SessionFilter(words=" 🦊 "), ["c"]),
        (SessionFilter(words="lan"), []),
    ]
    for wanted, found in expected:
        assert all_ids(conversations, wanted) == found
        assert conversations.count(wanted) == SessionCount(len(found), is_exact=True)


def test_sessions_are_filtered_by_their_activity(
    complete: Callable[..., None], conversations: Conversations, server: Server
) -> None:
    for n in range(4):
        complete(str(n), user_id="alice")
        server.raw.zadd(keys.SESSIONS("-"), {session_key(str(n), "alice"): n * 10})
    wanted = SessionFilter(active_after=10, active_before=30)
    for user in (None, "alice"):
        assert all_ids(conversations, wanted, limit=1, user_id=user) == ["2", "1"]
        assert conversations.count(wanted, user_id=user).count == 2


def test_the_sessions_of_a_user_are_listed(accept: Accept, conversations: Conversations, server: Server) -> None:
    for user in ("al", "alice", "alice0", "alice/x", None):
        for n in range(3):
            accept(session_id=f"{n}", user_id=user)
    accept(session_id="0", user_id="alice")  # the most recently active one
    seconds, _ = server.raw.time()
    server.raw.zadd(keys.SESSIONS("-"), {session_key("0", "alice"): (seconds + 1) * 1000})
    assert all_ids(conversations, limit=1, user_id="alice")[0] == "0"
    assert sorted(all_ids(conversations, limit=2, user_id="alice")) == ["0", "1", "2"]
    assert conversations.count(ANY, user_id="alice") == SessionCount(3, is_exact=True)
    assert all_ids(conversations, user_id="nobody") == []
    assert all_ids(conversations, user_id="alice", tenant="acme") == []


def test_a_page_can_be_short_and_not_the_last(
    accept: Accept, conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turns.conversations.conversations.MAX_READS", CHUNK)
    for n in range(CHUNK + 5):
        accept("wanted" if n == 0 else "other", session_id=str(n))
    page = conversations.list(SessionFilter(words="wanted"), limit=10)
    assert page.sessions == ()
    assert ids(conversations.list(SessionFilter(words="wanted"), after=page.after, limit=10)) == ["0"]


def test_expired_sessions_leave_the_lists(
    complete: Callable[..., None], client: Client, settings: Settings, server: Server, conversations: Conversations
) -> None:
    for n in range(5):
        complete(str(n), user_id="alice")
    for n in (0, 3):
        server.raw.delete(keys.SESSION(f"-/alice/{n}"), keys.HISTORY(f"-/alice/{n}"))
    server.raw.zrem(keys.USER_SESSIONS("-"), "-/alice/1")  # as an earlier release has left it
    prune_sessions(client, SessionScripts(client, settings), worker="w", sleep=lambda _: None)
    kept = {f"-/alice/{n}".encode() for n in (1, 2, 4)}
    assert set(server.raw.zrange(keys.SESSIONS("-"), 0, -1)) == kept
    assert set(server.raw.zrange(keys.USER_SESSIONS("-"), 0, -1)) == kept
    server.raw.delete(keys.SESSION("-/alice/1"), keys.HISTORY("-/alice/1"))
    prune_sessions(client, SessionScripts(client, settings), worker="w", sleep=lambda _: None)
    assert set(server.raw.zrange(keys.SESSIONS("-"), 0, -1)) == kept, "at most once an hour"
    server.raw.delete(keys.PRUNER.name)
    prune_sessions(client, SessionScripts(client, settings), worker="w", sleep=lambda _: None)
    assert sorted(all_ids(conversations, user_id="alice")) == ["2", "4"]


def test_an_erased_session_leaves_its_user(
    complete: Callable[..., None], conversations: Conversations, sessions: SessionStore, server: Server
) -> None:
    complete("s", user_id="alice")
    sessions.erase(session_key("s", "alice"))
    assert all_ids(conversations, user_id="alice") == []
    assert server.raw.exists(keys.USER_SESSIONS("-")) == 0
