import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import SessionNotFound, StoreUnavailable
from turns.domain.ids import session_key, user_key
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.usage.report import Dimension, UsageQuery
from turns.usage.store import UsageStore
from turns.users.commands import add_commands, erase_again, open_erasures
from turns.users.erasures import UserErasures
from turns.users.runner import ErasureRunner

Accept = Callable[..., Turn]
LONG = 60.0


@pytest.fixture
def usage(client: Client, settings: Settings) -> UsageStore:
    return UsageStore(client, settings)


@pytest.fixture
def erasures(client: Client, sessions: SessionStore, store: TurnStore, usage: UsageStore) -> UserErasures:
    return UserErasures(client, sessions, store, usage)


@pytest.fixture
def complete(accept: Accept, claim: Callable[..., Any], commit: Callable[..., None]) -> Callable[..., None]:
    return lambda session_id, **more: commit(claim(accept(session_id=session_id, **more)))


@pytest.fixture
def users(complete: Callable[..., None], accept: Accept) -> None:
    """Give alice three sessions with five turns, one of them live, and others one session each."""
    for session_id, number in (("a", 3), ("b", 1)):
        for _ in range(number):
            complete(session_id, user_id="alice")
    accept(session_id="c", user_id="alice")
    for user in ("alice2", "bob", None):
        complete("a", user_id=user)


def sums(usage: UsageStore) -> dict[str | None, int]:
    today = datetime.now(UTC).date()
    query = UsageQuery(
        first_day=today - timedelta(days=1), last_day=today + timedelta(days=1), by=(Dimension.USER,), tenant="-"
    )
    return {row.user_id: row.completed for row in usage.read(query).rows}


@pytest.mark.usefixtures("users")
def test_all_that_a_user_has_is_erased(
    erasures: UserErasures, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    erasure = erasures.erase("alice", seconds=LONG)
    assert (erasure.is_complete, erasure.sessions, erasure.turns) == (True, 3, 5)
    for name in "abc":
        with pytest.raises(SessionNotFound):
            sessions.get_session(session_key(name, "alice"))
    assert store.list_turns(user_id="alice", limit=10).turns == ()
    for other in ("alice2", "bob"):
        assert len(store.list_turns(user_id=other, limit=10).turns) == 1
    names = [key.decode() for key in server.raw.scan_iter("*alice*")]
    assert sorted(name for name in names if "alice2" not in name) == [keys.ERASED_USER("-/alice")]
    assert server.raw.zrange(keys.ERASURES.name, 0, -1) == []


@pytest.mark.usefixtures("users")
def test_the_sums_of_usage_forget_the_user_and_keep_the_total(erasures: UserErasures, usage: UsageStore) -> None:
    before = sums(usage)
    assert (before["alice"], before[None]) == (4, 1)
    erasure = erasures.erase("alice", seconds=LONG)
    after = sums(usage)
    assert erasure.usage_rows > 0
    assert "alice" not in after
    assert after[None] == before["alice"] + before[None]
    assert sum(after.values()) == sum(before.values())


@pytest.mark.usefixtures("users")
def test_a_repeated_erasure_returns_the_receipt(erasures: UserErasures, complete: Callable[..., None]) -> None:
    receipt = erasures.erase("alice", seconds=LONG)
    assert erasures.erase("alice", seconds=LONG) == receipt
    complete("new", user_id="alice")
    assert erasures.erase("alice", seconds=LONG).sessions == 1


def test_usage_of_expired_sessions_is_forgotten_again(
    erasures: UserErasures, complete: Callable[..., None], usage: UsageStore, server: Server
) -> None:
    erasures.erase("alice", seconds=LONG)
    complete("a", user_id="alice")
    session = session_key("a", "alice")
    [turn] = server.raw.zrange(keys.SESSION_TURNS(session), 0, -1)
    for key in (keys.SESSION(session), keys.HISTORY(session), keys.SESSION_TURNS(session), keys.TURN(turn.decode())):
        server.raw.delete(key)
    server.raw.delete(keys.SESSIONS("-"), keys.USER_SESSIONS("-"), keys.USER_TURNS(user_key("alice")))
    assert erasures.erase("alice", seconds=LONG).usage_rows == 1
    assert "alice" not in sums(usage)


@pytest.mark.usefixtures("users")
def test_an_erasure_goes_on_after_its_time(erasures: UserErasures) -> None:
    receipts = [erasures.erase("alice", seconds=0) for _ in range(4)]
    assert [(receipt.is_complete, receipt.sessions) for receipt in receipts] == [
        (False, 1),
        (False, 2),
        (False, 3),
        (True, 3),
    ]
    assert receipts[-1].turns == 5


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize("broken", ["erase", "count_turns"])
def test_another_process_finishes_what_one_has_begun(
    erasures: UserErasures, sessions: SessionStore, server: Server, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def erase_and_die(session: str) -> int:
        if broken == "erase":
            SessionStore.erase(sessions, session)
        raise StoreUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(sessions, broken, erase_and_die)
        with pytest.raises(StoreUnavailable):
            erasures.erase("alice", seconds=LONG)
    server.raw.set(keys.ERASING("-/alice"), 1, ex=30)  # as of a process that was killed
    ErasureRunner(erasures).step()
    assert erasures.list_open() == [user_key("alice")], "its process may still live"
    server.raw.delete(keys.ERASING("-/alice"))
    ErasureRunner(erasures).step()
    [tombstone] = erasures.list_tombstones()
    assert (tombstone.user_id, tombstone.is_complete) == ("alice", True)
    assert (tombstone.sessions, tombstone.turns) == (3, 5), "each session counts once"


@pytest.mark.usefixtures("users")
def test_a_slow_erasure_keeps_the_lease_of_the_next_process(
    erasures: UserErasures, sessions: SessionStore, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def erase_slowly(session: str) -> None:
        SessionStore.erase(sessions, session)
        server.raw.set(keys.ERASING("-/alice"), "another process", ex=30)  # the lease has expired meanwhile

    monkeypatch.setattr(sessions, "erase", erase_slowly)
    erasures.erase("alice", seconds=0)
    assert server.raw.get(keys.ERASING("-/alice")) == b"another process"


def test_sessions_that_no_list_has_are_erased_too(
    complete: Callable[..., None], erasures: UserErasures, sessions: SessionStore, server: Server
) -> None:
    complete("old", user_id="alice")
    server.raw.delete(keys.USER_SESSIONS("-"))  # an earlier release had no such list
    assert erasures.erase("alice", seconds=LONG).sessions == 1
    with pytest.raises(SessionNotFound):
        sessions.get_session(session_key("old", "alice"))


def test_an_unknown_user_is_erased_at_once(erasures: UserErasures, server: Server) -> None:
    erasure = erasures.erase("https://idp.example/42", tenant="acme", seconds=LONG)
    assert (erasure.tenant, erasure.user_id) == ("acme", "https://idp.example/42")
    assert (erasure.is_complete, erasure.sessions, erasure.turns, erasure.usage_rows) == (True, 0, 0, 0)
    assert 0 < server.raw.ttl(keys.ERASED_USER("acme/https%3A%2F%2Fidp.example%2F42")) <= 400 * 86_400


@pytest.mark.usefixtures("users")
def test_a_restored_store_is_erased_again(
    erasures: UserErasures, client: Client, settings: Settings, complete: Callable[..., None], tmp_path: Path
) -> None:
    erasures.erase("alice", seconds=LONG)
    parser = argparse.ArgumentParser()
    add_commands(parser)
    options = parser.parse_args(["tombstones"])
    tombstones = tmp_path / "erased"
    tombstones.write_text(options.run_users(client, settings, options))
    complete("a", user_id="alice")  # as a backup brings it back
    options = parser.parse_args(["erase-again", str(tombstones)])
    with options.file:
        assert options.run_users(client, settings, options) == "Users: 1, with 1 sessions"
    assert not list(open_erasures(client, settings).list_open())


@pytest.mark.parametrize("line", ["alice", "[]", '{"tenant": "-"}', '{"tenant": "-", "user_id": ""}'])
def test_a_wrong_list_of_tombstones_erases_nothing(client: Client, settings: Settings, line: str) -> None:
    options = argparse.Namespace(file=['{"tenant": "-", "user_id": "alice"}', line])
    with pytest.raises(ValueError, match="line 2: "):
        erase_again(client, settings, options)
    assert list(open_erasures(client, settings).list_tombstones()) == []
