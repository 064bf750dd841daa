import json
from typing import Any

import pytest

from tests.support.stub_client import StubClient
from turns.config.settings import Settings
from turns.domain.errors import SessionBusy, SessionNotEmpty
from turns.domain.messages import Message
from turns.store.sessions import SessionStore

MESSAGES = [Message(number=1, role="user", content="hello", turn_id=None)]


def store_with(*replies: Any) -> tuple[SessionStore, StubClient]:
    client = StubClient(*replies)
    return SessionStore(client.as_client, Settings()), client


def snapshot(*, live: list[bytes], is_running: bool, session_id: bytes = b"s") -> list[Any]:
    return [session_id, b"", 4, 1000, b"1" if is_running else b"0", live, 5, []]


@pytest.mark.parametrize(
    ("is_running", "running", "queued"), [(True, "turn_1", ("turn_2",)), (False, None, ("turn_1", "turn_2"))]
)
def test_the_first_live_turn_is_running_or_queued(
    is_running: bool, running: str | None, queued: tuple[str, ...]
) -> None:
    store, _ = store_with([b"FOUND", snapshot(live=[b"turn_1", b"turn_2"], is_running=is_running)])
    session = store.get_session("s")
    assert (session.running, session.queued, session.message_count, session.version) == (running, queued, 4, 5)


def test_a_session_of_another_program_is_named_by_its_key() -> None:
    store, _ = store_with([b"FOUND", snapshot(live=[], is_running=False, session_id=b"")])
    assert store.get_session("acme/-/their%2Fs").session_id == "their/s"


def test_a_cursor_keeps_the_dots_of_a_session_id() -> None:
    store, client = store_with([b"FOUND", [b"v1.2", b"1700"], []])
    assert store.list_sessions(after=None, limit=2).after == "1700.v1.2"
    store, client = store_with([b"FOUND", [b"", b""], []])
    assert store.list_sessions(after="1700.v1.2", limit=2).after is None
    assert client.script_args[1:3] == ("v1.2", "1700")


@pytest.mark.parametrize(("outcome", "error"), [(b"SESSION_BUSY", SessionBusy), (b"NOT_EMPTY", SessionNotEmpty)])
def test_a_refused_import_raises(outcome: bytes, error: type[Exception]) -> None:
    store, _ = store_with(
        {}, [1, 1], [outcome], 1
    )  # no eviction policy, one staged part, the script, the end of the part
    with pytest.raises(error):
        store.import_messages(MESSAGES, session_id="s", user_id=None)


def test_an_erase_repeats_the_script_until_it_is_complete() -> None:
    store, client = store_with([b"MORE"], [b"MORE"], [b"ERASED"])
    store.erase("s")
    assert len(client.commands) == 3


@pytest.mark.parametrize("newest_first", [False, True])
def test_messages_keep_their_numbers_while_others_go(*, newest_first: bool) -> None:
    """The last two of six messages are deleted after they were counted."""
    left = [json.dumps({"type": "human", "data": {"content": f"message {n}"}}).encode() for n in (4, 3, 2, 1)]
    store, _ = store_with(b"list", 6, left)
    page = store.list_messages("s", after=None, limit=6, newest_first=newest_first)
    found = [(message.number, message.content) for message in page.messages]
    assert sorted(found) == [(n, f"message {n}") for n in range(1, 5)]
