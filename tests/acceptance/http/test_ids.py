"""Ids with any printable characters work wherever ids travel, whether histories are in Redis or in files."""

import asyncio
from itertools import pairwise
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest
from langchain_community.chat_message_histories import RedisChatMessageHistory

from inturn import AsyncClient, Client
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.nasty_ids import NASTY_IDS
from tests.support.processes import Stack, call
from tests.support.sse import StreamReader

PAIRS = tuple(pairwise((*NASTY_IDS, NASTY_IDS[0])))  # each id as a session's, with the next one as its user's


@pytest.fixture(scope="module", params=["redis", "file"])
def history(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture(scope="module")
def settings(history: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return {"INTURN_HISTORY": "redis" if history == "redis" else f"file:{tmp_path_factory.mktemp('histories')}"}


def test_each_id_serves_the_whole_life_of_a_session(stack: Stack) -> None:
    with Client(stack.url) as client:
        turns = {pair: client.turns.create(pair[0], f"from {pair}", user_id=pair[1]) for pair in PAIRS}
        for (session, user), turn in turns.items():
            done = client.turns.wait(turn.id)
            assert (done.session_id, done.user_id, done.status) == (session, user, "completed")
            assert [found.id for found in client.turns.list(session_id=session, user_id=user)] == [turn.id]
            found = client.sessions.get(session, user_id=user)
            assert (found.session_id, found.user_id, found.message_count) == (session, user, 2)
            asked, answered = client.sessions.messages(session, user_id=user)
            assert (asked.content, answered.content) == (f"from {(session, user)}", done.output)
            reader = StreamReader(f"{stack.url}/v1/turns/{turn.id}/events")
            reader.read()
            assert reader.done
            assert (reader.done["session_id"], reader.done["user_id"]) == (session, user)
        assert sorted(list_all(stack)) == sorted(PAIRS)
        for session, user in PAIRS:
            client.sessions.delete(session, user_id=user)
    assert list_all(stack) == []


def test_histories_are_imported_and_continued_under_each_id(stack: Stack) -> None:
    async def import_and_continue() -> None:
        async with AsyncClient(stack.url) as client:
            for session in NASTY_IDS:
                await client.sessions.import_messages(session, [{"role": "user", "content": f"from {session}"}])
            turns = [await client.turns.create(session, "and then") for session in NASTY_IDS]
            for session, turn in zip(NASTY_IDS, turns, strict=True):
                await turn.wait()
                contents = [message.content async for message in client.sessions.messages(session)]
                assert contents[:2] == [f"from {session}", "and then"]
                assert len(contents) == 3

    asyncio.run(import_and_continue())


def test_the_command_takes_ids_with_separators(stack: Stack, tmp_path: Path) -> None:
    inturn = Inturn(stack.url, tmp_path)
    sent = inturn("send", "hello", "-s", "https://idp/%2F|a", "--user", "../x")
    assert sent.returncode == 0, sent.stderr
    exported = inturn("sessions", "export", "https://idp/%2F|a", "--user", "../x")
    assert "hello" in exported.stdout
    assert inturn("sessions", "rm", "--yes", "https://idp/%2F|a", "--user", "../x").returncode == 0
    assert inturn("sessions", "show", "https://idp/%2F|a", "--user", "../x").returncode != 0


def test_langchain_reads_an_escaped_session(stack: Stack, history: str) -> None:
    turn = stack.wait_until_finished(stack.submit("auth0|é", "hello"))
    if history == "redis":
        stored = RedisChatMessageHistory(quote("auth0|é", safe=""), url=stack.store.url).messages
        assert [message.content for message in stored] == ["hello", turn["output"]["content"]]


@pytest.mark.parametrize("segment", ["a%20b", "%FF", "%0A", "%E2%80%AE", "x" * 256, "%C2%A0"])
def test_a_wrong_id_in_a_path_is_named(stack: Stack, segment: str) -> None:
    for suffix in ("", "/messages"):
        refused = call(f"{stack.url}/v1/sessions/{segment}{suffix}")
        assert (refused.status, refused.body["code"]) == (400, "invalid_request")
        assert refused.body["detail"].startswith("session_id: must be 1 to 255 printable characters")
    assert call(f"{stack.url}/v1/sessions/a?user_id={segment}").status == 400


def list_all(stack: Stack) -> list[tuple[str, str]]:
    """Return session and user of each session, from pages of five."""
    found, query = [], "limit=5"
    while True:
        page = call(f"{stack.url}/v1/sessions?{query}").body
        found += [(each["session_id"], each["user_id"]) for each in page["data"]]
        if not page["has_more"]:
            return found
        query = urlencode({"limit": 5, "after": page["after"]})
