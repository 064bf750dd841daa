"""Importing exported sessions and LangChain histories."""

import asyncio
import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, messages_to_dict

from inturn import AsyncClient, Client, InvalidRequest, MessageBody, SessionNotEmpty
from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack

MESSAGES = ["What does cosine mean?", "A ratio – é"]  # noqa: RUF001  # a dash that is not ASCII


def prompt(stack: Stack) -> list[str]:
    """Return the messages of the latest model request, without the system prompt."""
    return [message["content"] for message in stack.model_requests()[-1]["messages"][1:]]


def test_an_exported_session_survives_an_import(inturn: Inturn, client: Client, stack: Stack, tmp_path: Path) -> None:
    for text in MESSAGES:
        client.turns.create("original", text).wait().check()
    exported = inturn("sessions", "export", "original").stdout
    assert exported.count("\n") == 4
    ran = inturn("sessions", "import", "-", "--session", "copy", stdin=exported)
    assert (ran.returncode, ran.stdout, ran.stderr) == (Exit.OK, "copy\n", "")
    assert inturn("sessions", "export", "copy").stdout == exported
    (tmp_path / "kept.jsonl").write_text(exported)
    assert inturn("sessions", "import", str(tmp_path / "kept.jsonl"), "-s", "copy").returncode == Exit.OK
    client.turns.create("copy", "and now?").wait().check()
    assert prompt(stack) == [*(json.loads(line)["content"] for line in exported.splitlines()), "and now?"]


def test_import_without_a_session_id_creates_a_session(inturn: Inturn, client: Client) -> None:
    line = json.dumps({"role": "user", "content": "hello"})
    ran = inturn("sessions", "import", "-", "--user", "alice", "--json", stdin=line)
    session = json.loads(ran.stdout)
    assert (session["user_id"], session["message_count"], session["status"]) == ("alice", 1, "idle")
    assert client.sessions.get(session["session_id"], user_id="alice").message_count == 1


def test_a_langchain_history_can_be_continued(inturn: Inturn, client: Client, stack: Stack) -> None:
    history = messages_to_dict([SystemMessage("be kind"), HumanMessage(MESSAGES[0]), AIMessage(MESSAGES[1])])
    ran = inturn("sessions", "import", "-", "-s", "langchain", stdin=json.dumps(history))
    assert (ran.returncode, ran.stdout) == (Exit.OK, "langchain\n")
    assert "Skipped 1" in ran.stderr
    client.turns.create("langchain", "and now?").wait().check()
    assert prompt(stack) == [*MESSAGES, "and now?"]


def test_a_refused_import_is_reported_and_changes_nothing(inturn: Inturn, client: Client, tmp_path: Path) -> None:
    client.turns.create("talked", "hello").wait().check()
    line = json.dumps({"role": "user", "content": "hello"})
    ran = inturn("sessions", "import", "-", "-s", "talked", stdin=line)
    assert (ran.returncode, ran.stdout) == (Exit.REFUSED, "")
    assert "session_not_empty" in ran.stderr
    assert client.sessions.get("talked").message_count == 2
    answer_first = json.dumps({"role": "assistant", "content": "hello"})
    ran = inturn("sessions", "import", "-", "-s", "answer-first", stdin=answer_first)
    assert ran.returncode == Exit.REFUSED
    assert "messages.0.role: must be user" in ran.stderr
    ran = inturn("sessions", "import", "-", stdin="hello")
    assert (ran.returncode, ran.stdout) == (Exit.USAGE, "")
    assert "Line 1 is not JSON" in ran.stderr
    assert inturn("sessions", "import", str(tmp_path / "nowhere")).returncode == Exit.USAGE


def test_messages_of_one_session_can_begin_another(client: Client, stack: Stack) -> None:
    client.turns.create("one", "hello").wait().check()
    messages = list(client.sessions.messages("one"))
    assert client.sessions.import_messages("other", messages).message_count == 2
    assert list(client.sessions.messages("other")) == messages
    with pytest.raises(SessionNotEmpty):
        client.sessions.import_messages("other", [{"role": "user", "content": "hello"}])

    async def program() -> None:
        async with AsyncClient(stack.url) as async_client:
            session = await async_client.sessions.import_messages("awaited", messages, user_id="alice")
            assert (session.session_id, session.user_id, session.message_count) == ("awaited", "alice", 2)

    asyncio.run(program())


def test_the_largest_history_is_imported_and_a_larger_refused(client: Client) -> None:
    messages: list[MessageBody] = [{"role": "user", "content": "x" * 786}] * 9_999
    assert client.sessions.import_messages("large", messages).message_count == 9_999
    with pytest.raises(InvalidRequest, match="messages: must be at most 8388608 bytes"):
        client.sessions.import_messages("larger", [*messages, {"role": "user", "content": "x" * 2_000_000}])
