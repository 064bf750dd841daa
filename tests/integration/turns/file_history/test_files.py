"""Tests of histories in files: LangChain's own class reads and writes them, and crashes do not damage them."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import LeaseLost, SessionNotFound, StoreUnavailable
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.file_history.files import HistoryFiles
from turns.file_history.session_store import FileHistorySessionStore
from turns.file_history.turn_store import FileHistoryTurnStore
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

MakeDue = Callable[[Turn], None]


class FilesOfDyingWorker(HistoryFiles):
    """Files of a worker that dies between its commit and the publication of the file."""

    def publish(self, session: str, version: str) -> None:
        pass


@pytest.fixture
def files(tmp_path: Path) -> HistoryFiles:
    return HistoryFiles(tmp_path / "histories")


@pytest.fixture
def worker(client: Client, settings: Settings, files: HistoryFiles, tmp_path: Path) -> Callable[..., TurnStore]:
    """Return a function that creates the store of another worker."""
    files.prepare()
    in_files = settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})
    return lambda files=files, **changes: FileHistoryTurnStore(client, in_files.model_copy(update=changes), files)


@pytest.fixture
def store(worker: Callable[..., TurnStore]) -> TurnStore:
    return worker()


@pytest.fixture
def sessions(client: Client, settings: Settings, files: HistoryFiles, tmp_path: Path) -> SessionStore:
    in_files = settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})
    return FileHistorySessionStore(client, in_files, files)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the path of the file of session `s`."""
    return tmp_path / "histories" / "-" / "s.json"


def accept(store: TurnStore, text: str = "hello", **more: Any) -> Turn:
    return store.accept(TurnRequest(**{"session_id": "s", "input": text, **more})).turn


def claim_turn(store: TurnStore, turn: Turn) -> Claim:
    claim = store.claim(turn.id, worker="w", model="m")
    assert claim is not None
    return claim


def answer(claim: Claim, text: str = "yes") -> Answer:
    def stored(kind: str, content: str) -> str:
        return json.dumps({"type": kind, "data": {"content": content, "type": kind}, "turn": claim.turn_id})

    return Answer(
        question_message=stored("human", claim.input),
        answer_message=stored("ai", text),
        output=text,
        model="m",
        usage=None,
    )


def run(store: TurnStore, text: str = "hello", **more: Any) -> Turn:
    turn = accept(store, text, **more)
    claim = claim_turn(store, turn)
    store.commit(claim, answer(claim, f"yes, {text}"), tail="")
    return turn


def contents(path: Path) -> list[str]:
    return [str(message.content) for message in FileChatMessageHistory(str(path)).messages]


def page_contents(sessions: SessionStore, session: str = "s") -> list[str]:
    page = sessions.list_messages(session, after=None, limit=100, newest_first=False)
    return [message.content for message in page.messages]


def test_the_stock_class_reads_what_turns_wrote(store: TurnStore, file: Path) -> None:
    run(store, "one")
    run(store, "two")
    assert [type(m) for m in FileChatMessageHistory(str(file)).messages] == [HumanMessage, AIMessage] * 2
    assert contents(file) == ["one", "yes, one", "two", "yes, two"]
    assert os.listdir(file.parent) == ["s.json"]
    assert file.stat().st_mode & 0o077 == 0, "other users cannot read it"


def test_turns_continue_what_the_stock_class_wrote(store: TurnStore, sessions: SessionStore, file: Path) -> None:
    file.parent.mkdir(parents=True)
    FileChatMessageHistory(str(file)).add_messages([HumanMessage("before"), AIMessage("yes")])
    assert page_contents(sessions) == ["before", "yes"]
    turn = accept(store)
    assert [json.loads(m)["data"]["content"] for m in claim_turn(store, turn).messages] == ["before", "yes"]


def test_each_user_and_each_tenant_has_a_directory(store: TurnStore, tmp_path: Path) -> None:
    run(store)
    run(store, user_id="alice")
    run(store, tenant="alice")
    run(store, tenant="acme", user_id="bob")
    root = tmp_path / "histories"
    found = {str(path.relative_to(root)) for path in root.rglob("*.json")}
    assert found == {"-/s.json", "alice/s.json", "@alice/-/s.json", "@acme/bob/s.json"}


def test_uncommitted_messages_are_not_read_but_overwritten(
    store: TurnStore, worker: Callable[..., TurnStore], sessions: SessionStore, file: Path, make_due: MakeDue
) -> None:
    run(store, "one")
    turn = accept(store, "two")
    dead = claim_turn(store, turn)
    HistoryFiles(file.parent.parent).stage("s", dead.token, [answer(dead).question_message])  # then the worker dies
    assert page_contents(sessions) == ["one", "yes, one"]
    make_due(turn)
    other = worker()
    other.rescue(worker="", hint="")
    claim = claim_turn(other, turn)
    assert len(claim.messages) == 2
    other.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes, one", "two", "yes"]


def test_a_worker_that_died_right_after_its_commit_loses_nothing(
    worker: Callable[..., TurnStore], sessions: SessionStore, file: Path
) -> None:
    run(worker(files=FilesOfDyingWorker(file.parent.parent)), "one")
    assert not file.exists()
    assert page_contents(sessions) == ["one", "yes, one"]
    run(worker(), "two")
    assert contents(file) == ["one", "yes, one", "two", "yes, two"]


def test_a_late_worker_changes_nothing(
    store: TurnStore, worker: Callable[..., TurnStore], sessions: SessionStore, file: Path, make_due: MakeDue
) -> None:
    turn = accept(store, "one")
    late = claim_turn(store, turn)
    make_due(turn)
    other = worker()
    other.rescue(worker="", hint="")
    claim = claim_turn(other, turn)
    other.commit(claim, answer(claim, "theirs"), tail="")
    run(other, "two")
    with pytest.raises(LeaseLost):
        store.commit(late, answer(late, "mine"), tail="")
    assert contents(file) == page_contents(sessions) == ["one", "theirs", "two", "yes, two"]
    assert os.listdir(file.parent) == ["s.json"]


def test_a_commit_repeated_after_later_turns_removes_nothing(store: TurnStore, file: Path) -> None:
    """The reply was lost, and the session continued."""
    turn = accept(store, "one")
    claim = claim_turn(store, turn)
    store.commit(claim, answer(claim), tail="")
    run(store, "two")
    store.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes", "two", "yes, two"]


def test_an_interrupted_turn_keeps_its_partial_answer(store: TurnStore, file: Path) -> None:
    claim = claim_turn(store, accept(store, "one"))
    accept(store, "two", on_busy="interrupt")
    store.interrupt(claim, answer(claim, "half"), tail="")
    assert contents(file) == ["one", "half"]


def test_a_failed_turn_leaves_the_file_as_it_was(store: TurnStore, file: Path) -> None:
    run(store, "one")
    store.fail(claim_turn(store, accept(store, "two")), Code.PROVIDER_QUOTA)
    assert contents(file) == ["one", "yes, one"]


def test_a_claim_sees_its_window(worker: Callable[..., TurnStore]) -> None:
    store = worker(history_window=2)
    for n in range(3):
        run(store, str(n))
    assert [json.loads(m)["data"]["content"] for m in claim_turn(store, accept(store)).messages] == ["2", "yes, 2"]


def test_pages_go_both_ways_and_the_session_counts_messages(store: TurnStore, sessions: SessionStore) -> None:
    run(store, "one")
    run(store, "two")
    assert sessions.get_session("s").message_count == 4
    page = sessions.list_messages("s", after=None, limit=3, newest_first=True)
    assert [(m.number, m.content) for m in page.messages] == [(4, "yes, two"), (3, "two"), (2, "yes, one")]
    rest = sessions.list_messages("s", after=page.after, limit=3, newest_first=True)
    assert ([m.number for m in rest.messages], rest.after) == ([1], None)
    with pytest.raises(SessionNotFound):
        sessions.list_messages("unknown", after=None, limit=3, newest_first=True)


def test_an_erased_session_leaves_nothing_and_stays_erased(
    store: TurnStore, sessions: SessionStore, file: Path, server: Server
) -> None:
    run(store, "one")
    running = claim_turn(store, accept(store, "two"))
    HistoryFiles(file.parent.parent).stage("s", "0" * 32, ["1"])  # a killed worker left this file
    sessions.erase("s")
    assert os.listdir(file.parent) == []
    with pytest.raises(LeaseLost):
        store.commit(running, answer(running), tail="")
    with pytest.raises(SessionNotFound):
        sessions.list_messages("s", after=None, limit=1, newest_first=True)
    with pytest.raises(SessionNotFound):
        sessions.get_session("s")
    run(store, "again")
    assert contents(file) == ["again", "yes, again"]


def test_an_adopted_session_keeps_its_history(
    store: TurnStore, sessions: SessionStore, server: Server, file: Path, tmp_path: Path
) -> None:
    run(store, "one")
    version = server.raw.hget(keys.SESSION("s"), "file").decode()
    adopted = tmp_path / "histories" / "@acme" / "-" / "s.json"
    adopted.parent.mkdir(parents=True)
    adopted.with_name(f"s.json.{version}").write_text("[")  # a call was interrupted before
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1}
    assert (contents(adopted), list(file.parent.iterdir())) == (["one", "yes, one"], [])
    run(store, "two", tenant="acme")
    assert contents(adopted) == page_contents(sessions, "acme/-/s") == ["one", "yes, one", "two", "yes, two"]


def test_a_session_is_not_adopted_over_a_file_of_the_tenant(
    store: TurnStore, sessions: SessionStore, file: Path, tmp_path: Path
) -> None:
    run(store, "one")
    other = tmp_path / "histories" / "@acme" / "-" / "s.json"
    other.parent.mkdir(parents=True)
    other.write_text("[]")
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 0, Reply.NOT_EMPTY: 1}
    assert (contents(file), other.read_text()) == (["one", "yes, one"], "[]")


@pytest.mark.parametrize("damage", [Path.unlink, lambda file: file.write_text("[")])
def test_a_session_without_a_readable_file_is_left(
    store: TurnStore, sessions: SessionStore, file: Path, damage: Callable[[Path], object]
) -> None:
    run(store, "one")
    run(store, "two", session_id="other")
    damage(file)
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1, Reply.BROKEN: 1}
    assert sessions.count_sessions() == 1


def test_an_adoption_of_which_the_reply_was_lost_counts(
    store: TurnStore, sessions: SessionStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, "one")
    session, once = sessions.get_session("s"), client.evalsha
    monkeypatch.setattr(client, "evalsha", lambda *call: once(*call) and once(*call))  # its second reply is returned
    assert sessions.adopt(session, tenant="acme") is Reply.ADOPTED
    assert page_contents(sessions, "acme/-/s") == ["one", "yes, one"]


def test_an_erase_holds_even_if_the_file_was_not_removed(
    store: TurnStore, sessions: SessionStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, "one")
    monkeypatch.setattr(HistoryFiles, "remove_files", lambda *_: None)
    sessions.erase("s")
    assert file.exists()
    with pytest.raises(SessionNotFound):
        sessions.list_messages("s", after=None, limit=1, newest_first=True)
    run(store, "two")
    assert contents(file) == ["two", "yes, two"]


@pytest.mark.parametrize("trouble", ["a directory", "a file"])
def test_a_broken_history_file_does_not_prevent_an_erase(
    store: TurnStore, sessions: SessionStore, file: Path, trouble: str
) -> None:
    run(store, "one")
    file.unlink()
    if trouble == "a directory":
        file.mkdir()
    else:
        file.parent.rmdir()
        file.parent.touch()
    sessions.erase("s")
    with pytest.raises(SessionNotFound):
        sessions.get_session("s")


@pytest.mark.parametrize("trouble", ["no JSON", "no list", "shorter", "gone", "a link", "a linked directory", "a pipe"])
def test_an_unusable_history_file_fails_its_turn_and_no_other(
    store: TurnStore, file: Path, trouble: str, tmp_path: Path
) -> None:
    run(store)
    kept = tmp_path / "elsewhere"
    if trouble in {"no JSON", "no list", "shorter"}:
        file.write_text({"no JSON": "[", "no list": "{}", "shorter": "[]"}[trouble])
    elif trouble == "a linked directory":
        file.parent.rename(kept)
        file.parent.symlink_to(kept)
    else:
        file.rename(kept)
    if trouble == "a link":
        file.symlink_to(kept)
    if trouble == "a pipe":
        os.mkfifo(file)
    turn = accept(store)
    assert store.claim(turn.id, worker="w") is None
    ended = store.get_turn(turn.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, Code.HISTORY_UNUSABLE)
    run(store, user_id="other")


def test_an_unreadable_disk_costs_no_attempt(store: TurnStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store)
    turn = accept(store)

    def away(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", away)
    with pytest.raises(StoreUnavailable):
        store.claim(turn.id, worker="w", model="m")
    monkeypatch.undo()
    waiting = store.get_turn(turn.id)
    assert (waiting.status, waiting.attempt) == (Status.QUEUED, 1)
    assert waiting.waiting
    assert waiting.waiting.retry_at


def test_a_full_disk_delays_the_commit(store: TurnStore, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    claim = claim_turn(store, accept(store, "one"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable):
        store.commit(claim, answer(claim), tail="")
    assert [p.name for p in file.parent.iterdir()] == []
    monkeypatch.undo()
    store.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes"]


def test_files_of_dead_workers_are_removed(
    worker: Callable[..., TurnStore], files: HistoryFiles, file: Path, server: Server
) -> None:
    dying = worker(files=FilesOfDyingWorker(file.parent.parent))
    run(dying, "one", user_id="alice")
    files.stage("s", "0" * 32, ["1"])
    files.stage("t", "1" * 32, ["1"])
    for path in file.parent.parent.rglob("*.json.*"):
        if "t.json" not in path.name:
            os.utime(path, (0, 0))
    store = worker()
    assert isinstance(store, FileHistoryTurnStore)
    store.tidy()
    left = {str(path.relative_to(file.parent.parent)) for path in file.parent.parent.rglob("*.json*")}
    assert left == {"alice/s.json", f"-/t.json.{'1' * 32}"}, (
        "one is published, one is removed, one is too recent to be removed"
    )


def test_the_store_holds_no_messages(store: TurnStore, server: Server) -> None:
    run(store)
    assert server.raw.hmget(keys.SESSION("s"), "messages") == [b"2"]
    assert not server.raw.exists(keys.HISTORY("s"))


def test_a_count_that_is_no_number_fails_the_turn(store: TurnStore, server: Server) -> None:
    turn = store.accept(TurnRequest(session_id="s", input="hello")).turn
    server.raw.hset(keys.SESSION("s"), "messages", "many")
    assert store.claim(turn.id, worker="w") is None
    assert store.get_turn(turn.id).error_code is Code.HISTORY_UNUSABLE
