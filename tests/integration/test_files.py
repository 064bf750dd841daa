"""Histories as files: what LangChain's own class reads and writes, and what no crash and no late worker can spoil."""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from tests.server import Server
from turns import keys
from turns.codes import Code
from turns.connection import Client, connect
from turns.errors import ConfigurationError, LeaseLost, SessionNotFound, StoreUnavailable
from turns.filed import FiledTurnStore
from turns.filed_sessions import FiledSessionStore
from turns.history_files import HistoryFiles
from turns.sessions import SessionStore
from turns.settings import Settings
from turns.state import Status
from turns.store import TurnStore
from turns.turn import Answer, Claim, Turn, TurnRequest

Lapse = Callable[[Turn], None]


class Dying(HistoryFiles):
    """Those of a worker that dies after its commit, before it published."""

    def publish(self, session: str, version: str) -> None:
        pass


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with connect(server.url, timeout_seconds=5, retries=0, max_connections=4) as client:
        yield client


@pytest.fixture
def files(tmp_path: Path) -> HistoryFiles:
    return HistoryFiles(tmp_path / "histories")


@pytest.fixture
def worker(client: Client, settings: Settings, files: HistoryFiles, tmp_path: Path) -> Callable[..., TurnStore]:
    """Another worker's store on each call."""
    files.prepare()
    filed = settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})
    return lambda files=files, **more: FiledTurnStore(client, filed.model_copy(update=more), files, lambda work: work())


@pytest.fixture
def store(worker: Callable[..., TurnStore]) -> TurnStore:
    return worker()


@pytest.fixture
def sessions(client: Client, settings: Settings, files: HistoryFiles, tmp_path: Path) -> SessionStore:
    filed = settings.model_copy(update={"history": f"file:{tmp_path / 'histories'}"})
    return FiledSessionStore(client, filed, files)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file of session `s`."""
    return tmp_path / "histories" / "-" / "s.json"


def accept(store: TurnStore, said: str = "hello", **more: Any) -> Turn:
    return store.accept(TurnRequest(**{"session_id": "s", "input": said, **more})).turn


def take(store: TurnStore, turn: Turn) -> Claim:
    claim = store.claim(turn.id, worker="w", model="m")
    assert claim is not None
    return claim


def answer(claim: Claim, said: str = "yes") -> Answer:
    def stored(kind: str, content: str) -> str:
        return json.dumps({"type": kind, "data": {"content": content, "type": kind}, "turn": claim.turn_id})

    return Answer(
        question_message=stored("human", claim.input),
        answer_message=stored("ai", said),
        output=said,
        model="m",
        usage=None,
    )


def run(store: TurnStore, said: str = "hello", **more: Any) -> Turn:
    turn = accept(store, said, **more)
    claim = take(store, turn)
    store.commit(claim, answer(claim, f"yes, {said}"), tail="")
    return turn


def contents(path: Path) -> list[str]:
    return [str(message.content) for message in FileChatMessageHistory(str(path)).messages]


def seen(sessions: SessionStore, session: str = "s") -> list[str]:
    page = sessions.messages(session, after=None, limit=100, newest_first=False)
    return [message.content for message in page.messages]


def test_the_stock_class_reads_what_turns_wrote(store: TurnStore, file: Path) -> None:
    run(store, "one")
    run(store, "two")
    assert [type(m) for m in FileChatMessageHistory(str(file)).messages] == [HumanMessage, AIMessage] * 2
    assert contents(file) == ["one", "yes, one", "two", "yes, two"]
    assert os.listdir(file.parent) == ["s.json"]
    assert file.stat().st_mode & 0o077 == 0, "nobody else's to read"


def test_turns_continue_what_the_stock_class_wrote(store: TurnStore, sessions: SessionStore, file: Path) -> None:
    file.parent.mkdir(parents=True)
    FileChatMessageHistory(str(file)).add_messages([HumanMessage("before"), AIMessage("yes")])
    assert seen(sessions) == ["before", "yes"]
    turn = accept(store)
    assert [json.loads(m)["data"]["content"] for m in take(store, turn).messages] == ["before", "yes"]


def test_each_user_and_each_tenant_has_a_directory(store: TurnStore, tmp_path: Path) -> None:
    run(store)
    run(store, user_id="alice")
    run(store, tenant="alice")
    run(store, tenant="acme", user_id="bob")
    root = tmp_path / "histories"
    found = {str(path.relative_to(root)) for path in root.rglob("*.json")}
    assert found == {"-/s.json", "alice/s.json", "@alice/-/s.json", "@acme/bob/s.json"}


def test_what_was_not_committed_is_not_read_and_gets_overwritten(
    store: TurnStore, worker: Callable[..., TurnStore], sessions: SessionStore, file: Path, lapse: Lapse
) -> None:
    run(store, "one")
    turn = accept(store, "two")
    dead = take(store, turn)
    HistoryFiles(file.parent.parent).stage("s", dead.token, [answer(dead).question_message])  # and then it died
    assert seen(sessions) == ["one", "yes, one"]
    lapse(turn)
    other = worker()
    other.rescue(worker="", hint="")
    claim = take(other, turn)
    assert len(claim.messages) == 2
    other.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes, one", "two", "yes"]


def test_a_worker_that_died_right_after_its_commit_loses_nothing(
    worker: Callable[..., TurnStore], sessions: SessionStore, file: Path
) -> None:
    run(worker(files=Dying(file.parent.parent)), "one")
    assert not file.exists()
    assert seen(sessions) == ["one", "yes, one"]
    run(worker(), "two")
    assert contents(file) == ["one", "yes, one", "two", "yes, two"]


def test_a_late_worker_spoils_nothing(
    store: TurnStore, worker: Callable[..., TurnStore], sessions: SessionStore, file: Path, lapse: Lapse
) -> None:
    turn = accept(store, "one")
    late = take(store, turn)
    lapse(turn)
    other = worker()
    other.rescue(worker="", hint="")
    claim = take(other, turn)
    other.commit(claim, answer(claim, "theirs"), tail="")
    run(other, "two")
    with pytest.raises(LeaseLost):
        store.commit(late, answer(late, "mine"), tail="")
    assert contents(file) == seen(sessions) == ["one", "theirs", "two", "yes, two"]
    assert os.listdir(file.parent) == ["s.json"]


def test_a_commit_asked_for_again_after_later_turns_takes_nothing_back(store: TurnStore, file: Path) -> None:
    """Its reply was lost, and its session went on."""
    turn = accept(store, "one")
    claim = take(store, turn)
    store.commit(claim, answer(claim), tail="")
    run(store, "two")
    store.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes", "two", "yes, two"]


def test_an_interrupted_turn_keeps_what_it_said(store: TurnStore, file: Path) -> None:
    claim = take(store, accept(store, "one"))
    accept(store, "two", on_busy="interrupt")
    store.interrupt(claim, answer(claim, "half"), tail="")
    assert contents(file) == ["one", "half"]


def test_a_failed_turn_leaves_the_file_as_it_was(store: TurnStore, file: Path) -> None:
    run(store, "one")
    store.fail(take(store, accept(store, "two")), Code.PROVIDER_QUOTA)
    assert contents(file) == ["one", "yes, one"]


def test_a_claim_sees_its_window(worker: Callable[..., TurnStore]) -> None:
    store = worker(history_window=2)
    for n in range(3):
        run(store, str(n))
    assert [json.loads(m)["data"]["content"] for m in take(store, accept(store)).messages] == ["2", "yes, 2"]


def test_pages_go_both_ways_and_the_session_counts(store: TurnStore, sessions: SessionStore) -> None:
    run(store, "one")
    run(store, "two")
    assert sessions.read("s").message_count == 4
    page = sessions.messages("s", after=None, limit=3, newest_first=True)
    assert [(m.number, m.content) for m in page.messages] == [(4, "yes, two"), (3, "two"), (2, "yes, one")]
    rest = sessions.messages("s", after=page.after, limit=3, newest_first=True)
    assert ([m.number for m in rest.messages], rest.after) == ([1], None)
    with pytest.raises(SessionNotFound):
        sessions.messages("nobody", after=None, limit=3, newest_first=True)


def test_of_an_erased_session_nothing_is_left_and_nothing_comes_back(
    store: TurnStore, sessions: SessionStore, file: Path, server: Server
) -> None:
    run(store, "one")
    running = take(store, accept(store, "two"))
    HistoryFiles(file.parent.parent).stage("s", "0" * 32, ["1"])  # a worker was killed here once
    sessions.erase("s")
    assert os.listdir(file.parent) == []
    with pytest.raises(LeaseLost):
        store.commit(running, answer(running), tail="")
    with pytest.raises(SessionNotFound):
        sessions.messages("s", after=None, limit=1, newest_first=True)
    with pytest.raises(SessionNotFound):
        sessions.read("s")
    run(store, "again")
    assert contents(file) == ["again", "yes, again"]


def test_an_erase_that_broke_off_before_the_file_was_gone_holds(
    store: TurnStore, sessions: SessionStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(store, "one")
    monkeypatch.setattr(HistoryFiles, "remove", lambda *_: None)
    sessions.erase("s")
    assert file.exists()
    with pytest.raises(SessionNotFound):
        sessions.messages("s", after=None, limit=1, newest_first=True)
    run(store, "two")
    assert contents(file) == ["two", "yes, two"]


@pytest.mark.parametrize("trouble", ["a directory", "a file"])
def test_what_is_no_file_of_a_history_hinders_no_erase(
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
        sessions.read("s")


def test_an_erase_does_not_touch_what_was_written_after_it(files: HistoryFiles, file: Path) -> None:
    files.prepare()
    files.stage("s", "a" * 32, ['"old"'])
    files.publish("s", "a" * 32)
    before = files.seen("s")
    files.stage("s", "b" * 32, ['"new"'])
    files.publish("s", "b" * 32)
    files.remove("s", before)
    assert json.loads(file.read_text()) == ["new"]


@pytest.mark.parametrize("trouble", ["no JSON", "no list", "shorter", "gone", "a link", "a linked directory", "a pipe"])
def test_a_file_that_cannot_be_the_history_fails_the_turn_and_no_other(
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
    ended = store.read(turn.id)
    assert (ended.status, ended.error_code) == (Status.FAILED, Code.HISTORY_UNUSABLE)
    run(store, user_id="other")


def test_a_disk_that_is_away_costs_no_attempt(store: TurnStore, monkeypatch: pytest.MonkeyPatch) -> None:
    run(store)
    turn = accept(store)

    def away(*_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", away)
    with pytest.raises(StoreUnavailable):
        store.claim(turn.id, worker="w", model="m")
    monkeypatch.undo()
    waiting = store.read(turn.id)
    assert (waiting.status, waiting.attempt) == (Status.QUEUED, 1)
    assert waiting.waiting
    assert waiting.waiting.retry_at


def test_a_disk_that_takes_nothing_delays_the_commit(
    store: TurnStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = take(store, accept(store, "one"))

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreUnavailable):
        store.commit(claim, answer(claim), tail="")
    assert [p.name for p in file.parent.iterdir()] == []
    monkeypatch.undo()
    store.commit(claim, answer(claim), tail="")
    assert contents(file) == ["one", "yes"]


def test_what_dead_workers_left_is_tidied(
    worker: Callable[..., TurnStore], files: HistoryFiles, file: Path, server: Server
) -> None:
    dying = worker(files=Dying(file.parent.parent))
    run(dying, "one", user_id="alice")
    files.stage("s", "0" * 32, ["1"])
    files.stage("t", "1" * 32, ["1"])
    for path in file.parent.parent.rglob("*.json.*"):
        if "t.json" not in path.name:
            os.utime(path, (0, 0))
    store = worker()
    assert isinstance(store, FiledTurnStore)
    store.tidy()
    left = {str(path.relative_to(file.parent.parent)) for path in file.parent.parent.rglob("*.json*")}
    assert left == {"alice/s.json", f"-/t.json.{'1' * 32}"}, "published, gone, and too young to judge"


@pytest.mark.parametrize("session", ["../x", "a/../x", "-/-/..", "a/b", "-/-/a\n", "", "-/./x", "@a/b/c"])
def test_no_name_leads_out_of_the_directory(files: HistoryFiles, session: str) -> None:
    files.prepare()
    with pytest.raises(ValueError, match=r"is no session|unpack"):
        files.read(session)


def test_a_directory_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="INTURN_HISTORY"):
        HistoryFiles(tmp_path / "file" / "histories").prepare()


def test_the_store_holds_no_messages(store: TurnStore, server: Server) -> None:
    run(store)
    assert server.raw.hmget(keys.SESSION("s"), "messages") == [b"2"]
    assert not server.raw.exists(keys.HISTORY("s"))
