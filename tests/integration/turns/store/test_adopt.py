"""Sessions that were stored before the first API key are given to a tenant."""

from collections.abc import Callable

import pytest

from tests.integration.conftest import history
from tests.support.server import Server
from turns.backend import keys
from turns.backend.script_replies import Reply
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound, TurnNotFound
from turns.domain.ids import session_key, user_key
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.store.sessions import ADOPT_PAGE, SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
Commit = Callable[[Claim], None]
TwoTurns = Callable[[str | None], tuple[Turn, Turn]]


@pytest.fixture
def two_turns(
    accept: Accept, claim: ClaimTurn, commit: Commit, store: TurnStore
) -> Callable[[str | None], tuple[Turn, Turn]]:
    """Return a function that stores a completed and a failed turn of a user."""

    def two_turns(user_id: str | None) -> tuple[Turn, Turn]:
        done, failed = accept(user_id=user_id, idempotency_key="k"), accept(user_id=user_id)
        commit(claim(done))
        store.fail(claim(failed), Code.PROVIDER_QUOTA)
        return done, failed

    return two_turns


@pytest.mark.parametrize("user_id", [None, "alice"])
def test_a_session_is_adopted_with_its_history(
    two_turns: TwoTurns, sessions: SessionStore, server: Server, *, user_id: str | None
) -> None:
    two_turns(user_id)
    old, new = session_key("s", user_id), session_key("s", user_id, "acme")
    before, messages, kept_ms = sessions.get_session(old), history(server, old), server.raw.pttl(keys.HISTORY(old))
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1}
    assert sessions.get_session(new) == before
    assert sessions.list_sessions(tenant="acme", after=None, limit=10).sessions == (before,)
    assert history(server, new) == messages != []
    assert 0 < server.raw.pttl(keys.HISTORY(new)) <= kept_ms
    with pytest.raises(SessionNotFound):
        sessions.get_session(old)
    assert sessions.count_sessions() == 0


def test_the_turns_of_an_adopted_session_are_adopted(
    two_turns: TwoTurns, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    done, failed = two_turns("alice")
    sessions.adopt_all(tenant="acme")
    for user_id in (None, "alice"):
        page = store.list_turns(tenant="acme", user_id=user_id, limit=10)
        assert [turn.id for turn in page.turns] == [failed.id, done.id]
    assert not server.raw.exists(keys.USER_TURNS(user_key("alice")))
    assert store.get_turn(done.id, tenant="acme").output == f"answer to {done.input}"
    assert server.raw.zrange(keys.FAILED.name, 0, -1) == [f"acme/{failed.id}".encode()]
    with pytest.raises(TurnNotFound):
        store.get_turn(done.id)


def test_an_adopted_session_goes_on(
    two_turns: TwoTurns, accept: Accept, claim: ClaimTurn, sessions: SessionStore, server: Server
) -> None:
    two_turns("alice")
    sessions.adopt_all(tenant="acme")
    later = accept(user_id="alice", tenant="acme")
    assert later.sequence == 3
    session = session_key("s", "alice", "acme")
    assert [message.decode() for message in claim(later).messages] == history(server, session) != []


def test_what_was_adopted_expires_as_before(
    two_turns: TwoTurns, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    turns = two_turns(None)
    sessions.adopt_all(tenant="acme")
    server.raw.unlink(*(keys.TURN(turn.id) for turn in turns))
    server.raw.zadd(keys.EXPIRING.name, dict.fromkeys(server.raw.zrange(keys.EXPIRING.name, 0, -1), 1))
    store.rescue(worker="w", hint="")
    assert store.list_turns(tenant="acme", limit=10).turns == ()
    assert server.raw.zcard(keys.TURNS("acme")) == server.raw.zcard(keys.FAILED.name) == 0


def test_a_busy_session_is_left_until_its_turns_have_ended(
    accept: Accept, claim: ClaimTurn, commit: Commit, sessions: SessionStore, store: TurnStore
) -> None:
    running, idle = claim(accept(session_id="busy")), accept(session_id="idle")
    store.cancel(idle.id)
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1, Reply.SESSION_BUSY: 1}
    commit(running)
    assert store.get_turn(running.turn_id).status == "completed"
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1}
    assert store.get_turn(running.turn_id, tenant="acme").status == "completed"


def test_a_session_that_the_tenant_has_too_is_left(
    accept: Accept, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    for tenant in ("-", "acme"):
        store.cancel(accept(tenant=tenant).id, tenant=tenant)
    before = {key: server.raw.dump(key) for key in server.raw.scan_iter("*session*")}
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 0, Reply.NOT_EMPTY: 1}
    assert {key: server.raw.dump(key) for key in server.raw.scan_iter("*session*")} == before


def test_all_sessions_are_adopted_whatever_their_number(
    accept: Accept, sessions: SessionStore, store: TurnStore, server: Server
) -> None:
    number = 2 * ADOPT_PAGE + 1
    for n in range(number):
        store.cancel(accept(session_id=f"s{n}").id)
    index = keys.SESSIONS("-")  # all of them in the same millisecond, as after a batch
    server.raw.zadd(index, dict.fromkeys(server.raw.zrange(index, 0, -1), server.raw.time()[0] * 1000))
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: number}
    assert (sessions.count_sessions(), sessions.count_sessions(tenant="acme")) == (0, number)


def test_the_script_adopts_once(accept: Accept, sessions: SessionStore, store: TurnStore) -> None:
    store.cancel(accept().id)
    session = sessions.get_session("s")
    assert [sessions.adopt(session, tenant="acme") for _ in range(2)] == [Reply.ADOPTED, Reply.GONE]


def test_a_turn_key_of_another_type_stops_no_move(two_turns: TwoTurns, sessions: SessionStore, server: Server) -> None:
    done, failed = two_turns("alice")
    server.raw.delete(keys.TURN(done.id))
    server.raw.rpush(keys.TURN(done.id), "x")
    server.raw.expire(keys.TURN(done.id), 60)
    assert sessions.adopt_all(tenant="acme") == {Reply.ADOPTED: 1}
    assert server.raw.hget(keys.TURN(failed.id), "session") == session_key("s", "alice", "acme").encode()
