"""Tests of importing messages into an empty, idle session, for histories in Redis and in files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory, RedisChatMessageHistory
from langchain_core.messages import BaseMessage, HumanMessage

from tests.support.leaks import leaked_keys
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import (
    IntakePaused,
    RateLimited,
    Refused,
    SessionBusy,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnavailable,
    TenantBacklogFull,
)
from turns.domain.ids import session_key
from turns.domain.messages import Message
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import FileHistorySessionStore, open_session_store
from turns.file_history.turn_store import open_turn_store
from turns.store.session_scripts import SessionScripts
from turns.store.sessions import IMPORT_CHUNK_BYTES, IMPORT_SECONDS, Imported, SessionStore
from turns.store.turns import TurnStore

OLD_TURN = "turn_" + "a" * 32
MESSAGES = [("user", "What does cosine mean?", OLD_TURN), ("assistant", "Cosine is a ratio, é\u2028", OLD_TURN)]


def messages(contents: Sequence[tuple[str, str, str | None]] = MESSAGES) -> list[Message]:
    return [Message(number=n, role=r, content=c, turn_id=t) for n, (r, c, t) in enumerate(contents, start=1)]


def other_messages(n: int = 2) -> list[Message]:
    return messages([("user" if i % 2 == 0 else "assistant", f"message {i}", None) for i in range(n)])


@dataclass
class Stores:
    """The stores for one kind of history."""

    client: Client
    settings: Settings
    turns: TurnStore
    sessions: SessionStore

    def import_messages(
        self, imported: list[Message], *, session_id: str = "s", user_id: str | None = None, **more: Any
    ) -> Imported:
        return self.sessions.import_messages(imported, session_id=session_id, user_id=user_id, **more)

    def accept(self, text: str = "hello", **more: Any) -> Turn:
        return self.turns.accept(TurnRequest(**{"session_id": "s", "input": text, **more})).turn

    def claim(self, turn: Turn) -> Claim:
        claim = self.turns.claim(turn.id, worker="w", model="m")
        assert claim is not None
        return claim

    def run(self, text: str = "hello", **more: Any) -> None:
        claim = self.claim(self.accept(text, **more))
        question, answer = messages([("user", text, claim.turn_id), ("assistant", "hi", claim.turn_id)])
        committed = Answer(
            question_message=question.to_stored(),
            answer_message=answer.to_stored(),
            output="hi",
            model="m",
            usage=None,
        )
        self.turns.commit(claim, committed, tail="")

    def history(self, session: str = "s") -> list[Message]:
        return list(self.sessions.list_messages(session, after=None, limit=20_000, newest_first=False).messages)


@pytest.fixture(params=["redis", "file"])
def history(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "redis":
        return "redis"
    HistoryFiles(tmp_path / "histories").prepare()
    return f"file:{tmp_path / 'histories'}"


@pytest.fixture
def stores_with(server: Server, client: Client, settings: Settings, history: str) -> Iterator[Callable[..., Stores]]:
    def stores(**changes: Any) -> Stores:
        changed = settings.model_copy(update={"history": history, **changes})
        return Stores(client, changed, open_turn_store(client, changed), open_session_store(client, changed))

    yield stores
    assert leaked_keys(server.raw) == set()


@pytest.fixture
def stores(stores_with: Callable[..., Stores]) -> Stores:
    return stores_with()


@pytest.fixture
def in_stock_class(server: Server, tmp_path: Path, history: str) -> Callable[[], list[BaseMessage]]:
    """Return a function that reads the session with LangChain's own class."""

    def read() -> list[BaseMessage]:
        if history != "redis":
            return FileChatMessageHistory(str(tmp_path / "histories" / "-" / "s.json")).messages
        reader = RedisChatMessageHistory("s", url=server.url)
        try:
            return reader.messages
        finally:
            reader.redis_client.close()

    return read


def test_the_next_turn_sees_the_imported_messages(stores: Stores) -> None:
    imported = stores.import_messages(messages())
    assert not imported.replayed
    assert (imported.session.session_id, imported.session.message_count, imported.session.is_busy) == ("s", 2, False)
    assert stores.sessions.get_session("s") == imported.session
    assert stores.history() == messages()
    turn = stores.accept("And its inverse?")
    claim = stores.claim(turn)
    assert [Message.from_stored(n, item) for n, item in enumerate(claim.messages, start=1)] == messages()
    stores.turns.cancel(turn.id)
    stores.run("And its inverse?")
    assert stores.history()[:2] == messages()
    assert [(message.number, message.content) for message in stores.history()[2:]] == [
        (3, "And its inverse?"),
        (4, "hi"),
    ]


def test_the_stock_class_reads_imported_messages(
    stores: Stores, in_stock_class: Callable[[], list[BaseMessage]]
) -> None:
    stores.import_messages(messages())
    assert [(message.type, message.content) for message in in_stock_class()] == [
        ("human", MESSAGES[0][1]),
        ("ai", MESSAGES[1][1]),
    ]


def test_ten_thousand_messages_keep_their_order(stores: Stores) -> None:
    stores.import_messages(other_messages(10_000))
    assert stores.history() == other_messages(10_000)


def test_importing_the_same_messages_again_changes_nothing(stores: Stores) -> None:
    stores.import_messages(messages())
    assert stores.import_messages(messages()).replayed
    stores.run()
    again = stores.import_messages(messages())
    assert (again.replayed, again.session.message_count) == (True, 4)
    assert stores.history()[:2] == messages()
    assert len(stores.history()) == 4


def test_a_session_with_other_messages_is_unchanged(stores: Stores) -> None:
    stores.import_messages(messages())
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(other_messages())
    assert stores.history() == messages()
    stores.run(session_id="talked")
    before = stores.history("talked")
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(messages(), session_id="talked")
    assert stores.history("talked") == before


def test_a_session_with_a_live_turn_is_busy(stores: Stores) -> None:
    turn = stores.accept()
    with pytest.raises(SessionBusy):
        stores.import_messages(messages())
    stores.claim(turn)
    with pytest.raises(SessionBusy):
        stores.import_messages(messages())
    stores.turns.cancel(turn.id)
    assert stores.import_messages(messages()).session.message_count == 2, "the cancelled turn left the session empty"


def test_an_erased_session_can_be_imported_again(stores: Stores) -> None:
    stores.import_messages(messages())
    stores.sessions.erase("s")
    with pytest.raises(SessionNotFound):
        stores.history()
    assert not stores.import_messages(messages()).replayed
    assert stores.history() == messages()


def test_messages_of_the_stock_class_make_a_session_not_empty(
    stores: Stores, server: Server, history: str, tmp_path: Path
) -> None:
    if history == "redis":
        writer = RedisChatMessageHistory("s", url=server.url)
        writer.add_message(HumanMessage("I was here before"))
        writer.redis_client.expire(keys.HISTORY("s"), 100)
        writer.redis_client.close()
    else:
        (tmp_path / "histories" / "-").mkdir()
        FileChatMessageHistory(str(tmp_path / "histories" / "-" / "s.json")).add_user_message("I was here before")
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(messages())
    assert [message.content for message in stores.history()] == ["I was here before"]


@pytest.mark.parametrize("history", ["redis"], indirect=True)
def test_a_key_of_another_type_is_unchanged(stores: Stores, server: Server) -> None:
    server.raw.set(keys.HISTORY("s"), "something else", ex=100)
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(messages())
    assert server.raw.get(keys.HISTORY("s")) == b"something else"


def test_each_tenant_and_each_user_has_separate_sessions(stores: Stores) -> None:
    stores.import_messages(messages(), user_id="alice", tenant="acme")
    assert stores.history(session_key("s", "alice", "acme")) == messages()
    for session in (session_key("s", "alice"), session_key("s", None, "acme"), session_key("s")):
        with pytest.raises(SessionNotFound):
            stores.history(session)
    listed = stores.sessions.list_sessions(tenant="acme", after=None, limit=9).sessions
    assert [(session.session_id, session.user_id) for session in listed] == [("s", "alice")]
    assert stores.sessions.list_sessions(after=None, limit=9).sessions == ()


def test_an_imported_session_is_kept_for_the_retention(stores: Stores, server: Server) -> None:
    stores.import_messages(messages())
    retention = stores.settings.session_ttl_seconds
    assert retention - 60 < server.raw.ttl(keys.SESSION("s")) <= retention
    stores.accept()
    assert server.raw.ttl(keys.SESSION("s")) == -1, "a session with a live turn does not expire"


def test_limits_on_turns_apply_to_imports_too(stores_with: Callable[..., Stores], server: Server) -> None:
    server.raw.hset(keys.SERVICE.name, "intake", 1)
    check_refused(stores_with(), IntakePaused)
    server.raw.hdel(keys.SERVICE.name, "intake")
    full = stores_with(tenant_backlog=1)
    full.accept(session_id="other")
    check_refused(full, TenantBacklogFull)


def test_an_import_is_one_turn_of_its_tenants_rate(stores_with: Callable[..., Stores]) -> None:
    slow = stores_with(tenant_turns_per_minute=1)
    slow.import_messages(messages(), session_id="first")
    check_refused(slow, RateLimited)
    with pytest.raises(RateLimited):
        slow.accept()
    assert slow.import_messages(messages(), session_id="first").replayed, "a repeated import is free"


def check_refused(stores: Stores, kind: type[Refused]) -> None:
    with pytest.raises(kind):
        stores.import_messages(messages())
    with pytest.raises(SessionNotFound):
        stores.history()


def test_when_memory_is_full_nothing_is_stored(stores: Stores, server: Server) -> None:
    server.raw.config_set("maxmemory", 1)
    try:
        with pytest.raises(StoreUnavailable) as error:
            stores.import_messages(messages())
    finally:
        server.raw.config_set("maxmemory", 0)
    assert error.value.refused
    with pytest.raises(SessionNotFound):
        stores.history()


# -- histories in files


class SleepingFiles(HistoryFiles):
    """Files of a process that sleeps between the script and the publication of the file."""

    def publish(self, session: str, version: str) -> None:
        self.delayed = (session, version)


@pytest.fixture
def sleeping(stores: Stores, tmp_path: Path) -> tuple[FileHistorySessionStore, SleepingFiles]:
    files = SleepingFiles(tmp_path / "histories")
    return FileHistorySessionStore(stores.client, stores.settings, files), files


@pytest.mark.parametrize("history", ["file"], indirect=True)
def test_a_late_publisher_changes_nothing(
    stores: Stores, sleeping: tuple[FileHistorySessionStore, SleepingFiles], tmp_path: Path
) -> None:
    store, files = sleeping
    store.import_messages(messages(), session_id="s", user_id=None)
    assert stores.history() == messages(), "the committed version is read before its publication"
    stores.run()
    HistoryFiles(tmp_path / "histories").publish(*files.delayed)
    assert stores.history()[:2] == messages()
    assert stores.sessions.get_session("s").message_count == len(stores.history()) == 4


def large_messages() -> list[Message]:
    return messages([("user" if i % 2 == 0 else "assistant", f"{i:02}" * 20_000, None) for i in range(60)])


@pytest.mark.parametrize("history", ["redis"], indirect=True)
def test_a_large_import_is_written_in_bounded_parts(stores: Stores, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[int] = []

    def execute_many(client: Client, commands: Sequence[Sequence[Any]], **options: Any) -> list[Any]:
        sent.append(sum(len(str(part)) for command in commands for part in command))
        return original(client, commands, **options)

    original = Client.execute_many
    monkeypatch.setattr(Client, "execute_many", execute_many)
    stores.import_messages(large_messages())
    assert stores.history() == large_messages()
    assert len(sent) > 5
    assert max(sent) < IMPORT_CHUNK_BYTES + 200


@pytest.mark.parametrize("history", ["redis"], indirect=True)
def test_an_import_leaves_no_staged_list(stores: Stores, server: Server) -> None:
    stores.import_messages(messages())
    assert stores.import_messages(messages()).replayed
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(other_messages())
    assert list(server.raw.scan_iter(keys.IMPORT("*"))) == []


@pytest.mark.parametrize("history", ["redis"], indirect=True)
def test_an_import_that_is_not_complete_changes_nothing(
    stores: Stores, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part is written twice if its reply was lost, and the store may evict the list."""

    def stage_twice(token: str, stored: Sequence[str]) -> None:
        for _ in range(2):
            original(token, stored)
        assert 0 < server.raw.ttl(keys.IMPORT(token)) <= IMPORT_SECONDS

    original = stores.sessions._stage_list
    monkeypatch.setattr(stores.sessions, "_stage_list", stage_twice)
    with pytest.raises(StoreUnavailable):
        stores.import_messages(messages())
    monkeypatch.undo()
    assert not stores.import_messages(messages()).replayed
    assert stores.history() == messages()


@pytest.mark.parametrize("history", ["file"], indirect=True)
def test_an_import_leaves_no_other_file(stores: Stores, tmp_path: Path) -> None:
    stores.import_messages(messages())
    stores.import_messages(messages())
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(other_messages())
    assert [path.name for path in (tmp_path / "histories" / "-").iterdir()] == ["s.json"]


@pytest.mark.parametrize("history", ["file"], indirect=True)
def test_an_import_whose_reply_was_lost_is_repeated(stores: Stores) -> None:
    """The Redis client repeats the command with the same arguments, including the version."""
    scripts = SessionScripts(stores.client, stores.settings)
    for _ in range(2):
        outcome, *_ = scripts.import_messages(
            "s", session_id="s", user_id="", digest="d", count=2, version="v" * 32, text="hi"
        )
        assert outcome == "IMPORTED"


@pytest.mark.parametrize("history", ["file"], indirect=True)
def test_a_link_instead_of_a_users_directory_is_not_followed(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "histories" / "alice").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SessionNotEmpty):
        stores.import_messages(messages(), user_id="alice")
    assert list((tmp_path / "elsewhere").iterdir()) == []
