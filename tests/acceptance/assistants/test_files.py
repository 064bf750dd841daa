"""Test histories as files: LangChain reads them, and a killed worker leaves them complete."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory

from tests.support.processes import Stack, call


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("histories") / "kept"


@pytest.fixture(scope="module")
def settings(directory: Path) -> dict[str, str]:
    return {"INTURN_HISTORY": f"file:{directory}", "INTURN_LEASE_SECONDS": "1.5"}


def contents(path: Path) -> list[str]:
    return [str(message.content) for message in FileChatMessageHistory(str(path)).messages]


def test_the_second_turn_reads_the_first_from_the_file(stack: Stack, directory: Path) -> None:
    first = stack.wait_until_finished(stack.submit("foobar", "What does cosine mean?"))
    second = stack.wait_until_finished(stack.submit("foobar", "What's its inverse"))
    texts = [first["input"], first["output"]["content"], second["input"], second["output"]["content"]]
    assert [m["content"] for m in stack.model_requests()[-1]["messages"][1:]] == texts[:3]
    assert [m["content"] for m in stack.messages("foobar")] == contents(directory / "-" / "foobar.json") == texts
    assert call(f"{stack.url}/v1/sessions/foobar").body["message_count"] == 4


def test_an_imported_session_has_a_file_and_continues(stack: Stack, directory: Path) -> None:
    messages = [{"role": "user", "content": "before"}, {"role": "assistant", "content": "yes"}]
    url = f"{stack.url}/v1/sessions/imported/messages"
    assert [call(url, method="PUT", body={"messages": messages}).status for _ in range(2)] == [201, 200]
    stack.wait_until_finished(stack.submit("imported", "and now?"))
    assert [m["content"] for m in stack.model_requests()[-1]["messages"][1:]] == ["before", "yes", "and now?"]
    assert contents(directory / "-" / "imported.json")[:2] == ["before", "yes"]
    assert [path.name for path in (directory / "-").glob("imported*")] == ["imported.json"]


def test_a_session_can_be_imported_before_any_worker_starts(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=0, INTURN_HISTORY=f"file:{tmp_path / 'histories'}")
    body = {"messages": [{"role": "user", "content": "before"}]}
    assert call(f"{stack.url}/v1/sessions/early/messages", method="PUT", body=body).status == 201
    assert contents(tmp_path / "histories" / "-" / "early.json") == ["before"]


def test_a_killed_worker_leaves_no_partial_turn(stack: Stack, directory: Path) -> None:
    stack.wait_until_finished(stack.submit("killed", "one"))
    turn = stack.submit("killed", "two [gate killed]")
    stack.wait_until_running(turn)
    stack.workers[0].kill()
    assert len(contents(directory / "-" / "killed.json")) == 2
    stack.replace_dead()
    stack.open_gate("killed")
    assert stack.wait_until_finished(turn)["status"] == "completed"
    assert len(contents(directory / "-" / "killed.json")) == len(stack.messages("killed")) == 4


def test_deleting_a_session_removes_its_files(stack: Stack, directory: Path) -> None:
    stack.wait_until_finished(stack.submit("gone", "hello"))
    assert call(f"{stack.url}/v1/sessions/gone", method="DELETE").status == 204
    assert not list(directory.rglob("gone*"))
    assert call(f"{stack.url}/v1/sessions/gone/messages").status == 404
    stack.wait_until_finished(stack.submit("gone", "again"))
    assert len(contents(directory / "-" / "gone.json")) == 2


def test_an_invalid_file_fails_its_turn_and_is_logged(stack: Stack, directory: Path) -> None:
    stack.wait_until_finished(stack.submit("broken", "hello"))
    (directory / "-" / "broken.json").write_text(json.dumps({"not": "a list"}))
    turn = stack.wait_until_finished(stack.submit("broken", "again"))
    assert (turn["status"], turn["error"]["code"]) == ("failed", "history_unusable")
    assert "the file holds no JSON array" in stack.logs()
