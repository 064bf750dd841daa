"""A session that is exported, imported and exported again is the same; so is a history that LangChain made."""

import asyncio
import json
from pathlib import Path

import pytest
from langchain_community.chat_message_histories import FileChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, messages_to_dict

from inturn import AsyncClient, Client, InvalidRequest, MessageBody, SessionBusy, SessionNotEmpty
from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.acceptance.inturn.conftest import MATH
from tests.support.processes import Stack

CHAIN_SAYS = ["What does cosine mean?", "A ratio – é"]  # noqa: RUF001  # a dash that is not ASCII


def prompt(stack: Stack) -> list[str]:
    """What the model was asked last, without the system prompt."""
    return [message["content"] for message in stack.asked()[-1]["messages"][1:]]


def test_an_export_is_imported_and_exported_again(inturn: Inturn, client: Client, stack: Stack, tmp_path: Path) -> None:
    for said in CHAIN_SAYS:
        client.turns.create("original", said, variables=MATH).wait().check()
    exported = inturn("sessions", "export", "original").stdout
    assert exported.count("\n") == 4
    ran = inturn("sessions", "import", "-", "--session", "copy", stdin=exported)
    assert (ran.returncode, ran.stdout, ran.stderr) == (Exit.OK, "copy\n", "")
    assert inturn("sessions", "export", "copy").stdout == exported
    (tmp_path / "kept.jsonl").write_text(exported)
    assert inturn("sessions", "import", str(tmp_path / "kept.jsonl"), "-s", "copy").returncode == Exit.OK
    client.turns.create("copy", "and now?", variables=MATH).wait().check()
    assert prompt(stack) == [*(json.loads(line)["content"] for line in exported.splitlines()), "and now?"]


def test_a_new_session_is_made_where_none_is_named(inturn: Inturn, client: Client) -> None:
    line = json.dumps({"role": "user", "content": "hello"})
    ran = inturn("sessions", "import", "-", "--user", "alice", "--json", stdin=line)
    session = json.loads(ran.stdout)
    assert (session["user_id"], session["message_count"], session["status"]) == ("alice", 1, "idle")
    assert client.sessions.get(session["session_id"], user_id="alice").message_count == 1


def test_a_history_that_langchain_made_goes_on_here(inturn: Inturn, client: Client, stack: Stack) -> None:
    made = messages_to_dict([SystemMessage("be kind"), HumanMessage(CHAIN_SAYS[0]), AIMessage(CHAIN_SAYS[1])])
    ran = inturn("sessions", "import", "-", "-s", "langchain", stdin=json.dumps(made))
    assert (ran.returncode, ran.stdout) == (Exit.OK, "langchain\n")
    assert "1 left out" in ran.stderr
    client.turns.create("langchain", "and now?", variables=MATH).wait().check()
    assert prompt(stack) == [*CHAIN_SAYS, "and now?"]


def test_a_file_that_langchain_keeps_does_as_well(inturn: Inturn, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "history.json"
    history = FileChatMessageHistory(str(file))
    history.add_messages([HumanMessage(CHAIN_SAYS[0]), AIMessage(CHAIN_SAYS[1])])
    assert inturn("sessions", "import", str(file), "-s", "from-a-file").returncode == Exit.OK
    assert [message.content for message in client.sessions.messages("from-a-file")] == CHAIN_SAYS


def test_what_is_refused_is_said_and_changes_nothing(inturn: Inturn, client: Client, tmp_path: Path) -> None:
    client.turns.create("talked", "hello", variables=MATH).wait().check()
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


def test_messages_of_one_session_begin_another(client: Client, stack: Stack) -> None:
    client.turns.create("one", "hello", variables=MATH).wait().check()
    said = list(client.sessions.messages("one"))
    assert client.sessions.import_messages("other", said).message_count == 2
    assert list(client.sessions.messages("other")) == said
    with pytest.raises(SessionNotEmpty):
        client.sessions.import_messages("other", [{"role": "user", "content": "hello"}])

    async def program() -> None:
        async with AsyncClient(stack.url) as awaited:
            session = await awaited.sessions.import_messages("awaited", said, user_id="alice")
            assert (session.session_id, session.user_id, session.message_count) == ("awaited", "alice", 2)

    asyncio.run(program())


def test_the_largest_history_is_taken_and_a_larger_one_is_told_so(client: Client) -> None:
    said: list[MessageBody] = [{"role": "user", "content": "x" * 786}] * 9_999
    assert client.sessions.import_messages("large", said).message_count == 9_999
    with pytest.raises(InvalidRequest, match="messages: must be at most 8388608 bytes"):
        client.sessions.import_messages("larger", [*said, {"role": "user", "content": "x" * 2_000_000}])


def test_a_session_in_which_a_turn_runs_is_busy(client: Client) -> None:
    turn = client.turns.create("busy", "hello [gate never]", variables=MATH)
    with pytest.raises(SessionBusy):
        client.sessions.import_messages("busy", [{"role": "user", "content": "hello"}])
    turn.cancel()
