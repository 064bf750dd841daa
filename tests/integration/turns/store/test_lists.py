from collections.abc import Callable

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.domain.errors import SessionNotFound
from turns.domain.ids import user_key
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.store.sessions import SessionStore
from turns.store.turns import LIST_LIMIT, TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]


def all_pages(store: TurnStore, *, limit: int, **filters: object) -> list[str]:
    found, after = [], None
    while True:
        page = store.list_turns(after=after, limit=limit, **filters)  # type: ignore[arg-type]
        assert len(page.turns) <= limit
        found += [turn.id for turn in page.turns]
        if (after := page.after) is None:
            return found


def test_turns_are_listed_newest_first_in_pages(accept: Accept, store: TurnStore) -> None:
    turns = [accept(session_id=name).id for name in ("a", "b", "a", "c", "a")]
    assert all_pages(store, limit=2) == turns[::-1]
    assert all_pages(store, limit=2, session="a") == [turns[4], turns[2], turns[0]]
    assert all_pages(store, limit=2, session="nobody") == []


def test_turns_are_filtered_by_status(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore
) -> None:
    turns = [accept(session_id=str(n)) for n in range(4)]
    commit(claim(turns[1]))
    assert all_pages(store, limit=1, status=Status.COMPLETED) == [turns[1].id]
    assert all_pages(store, limit=1, status=Status.QUEUED) == [turns[n].id for n in (3, 2, 0)]


def test_a_page_reads_a_limited_number_of_turns(store_with: Callable[..., TurnStore]) -> None:
    store = store_with(session_backlog=2 * LIST_LIMIT)
    first = store.accept(TurnRequest(session_id="x", input="x")).turn
    store.cancel(first.id)
    for _ in range(LIST_LIMIT):
        store.accept(TurnRequest(session_id="s", input="x"))
    page = store.list_turns(status=Status.CANCELLED, limit=10)
    assert page.turns == ()
    assert page.after is not None
    assert [turn.id for turn in store.list_turns(status=Status.CANCELLED, after=page.after, limit=10).turns] == [
        first.id
    ]


@pytest.mark.parametrize("session", [None, "s"])
def test_a_page_continues_after_a_turn_that_has_expired(
    accept: Accept, store: TurnStore, server: Server, session: str | None
) -> None:
    turns = [accept().id for _ in range(6)]
    for turn in turns[:4]:
        server.raw.zadd(keys.TURNS("-"), {turn: 1}, xx=True)  # both turns have the same score
    page = store.list_turns(session=session, limit=3)
    server.raw.zrem(keys.TURNS("-"), page.turns[-1].id)
    server.raw.zrem(keys.SESSION_TURNS("s"), page.turns[-1].id)
    following = store.list_turns(session=session, after=page.after, limit=10)
    listed = [turn.id for turn in (*page.turns, *following.turns)]
    assert listed == sorted(turns, reverse=True)


def test_an_expired_turn_leaves_the_lists(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore, server: Server
) -> None:
    turn = accept()
    commit(claim(turn))
    server.raw.delete(keys.TURN(turn.id))  # as if it had expired
    server.raw.zadd(keys.EXPIRING.name, {f"s/{turn.id}": 1}, xx=True)
    assert all_pages(store, limit=10) == []
    store.rescue(worker="", hint="")
    assert server.raw.exists(keys.TURNS("-"), keys.EXPIRING.name, keys.SESSION_TURNS("s")) == 0


def test_the_turns_of_a_user_are_listed(accept: Accept, store: TurnStore) -> None:
    turns = [accept(session_id=str(n), user_id="alice").id for n in range(3)]
    accept(session_id="0"), accept(session_id="0", user_id="bob"), accept(user_id="alice", tenant="acme")
    assert all_pages(store, limit=2, user_id="alice") == turns[::-1]
    assert all_pages(store, limit=2, user_id="nobody") == []


def test_an_ended_turn_leaves_its_users_list_when_it_expires(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore, server: Server
) -> None:
    turn = accept(user_id="-")  # whose name differs from that of a session without a user
    commit(claim(turn))
    assert server.raw.zrange(keys.USER_TURNS(user_key("-")), 0, -1) == [turn.id.encode()]
    server.raw.delete(keys.TURN(turn.id))  # as if it had expired
    server.raw.zadd(keys.EXPIRING.name, {f"{turn.session}/{turn.id}": 1}, xx=True)
    store.rescue(worker="", hint="")
    assert not server.raw.exists(keys.USER_TURNS(user_key("-")))


def test_a_session_names_its_running_and_waiting_turns(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], sessions: SessionStore
) -> None:
    first, second, third = accept(), accept(), accept()
    session = sessions.get_session("s")
    assert (session.session_id, session.is_busy, session.running) == ("s", True, None)
    claimed = claim(first)
    session = sessions.get_session("s")
    assert (session.running, session.queued) == (first.id, (second.id, third.id))
    commit(claimed)
    assert (sessions.get_session("s").message_count, sessions.get_session("s").running) == (2, None)


def test_a_session_of_the_stock_class_is_found(sessions: SessionStore, server: Server) -> None:
    server.raw.lpush(keys.HISTORY("theirs"), b"{}")
    session = sessions.get_session("theirs")
    assert (session.session_id, session.message_count, session.is_busy) == ("theirs", 1, False)


def test_an_unknown_session_is_not_found(sessions: SessionStore) -> None:
    with pytest.raises(SessionNotFound):
        sessions.get_session("s")


def test_sessions_are_listed_by_their_last_activity_in_pages(accept: Accept, sessions: SessionStore) -> None:
    for name in ("a", "b", "c"):
        accept(session_id=name)
    accept(session_id="b", user_id="alice")
    first = sessions.list_sessions(after=None, limit=2)
    accept(session_id="a")  # between the two pages
    second = sessions.list_sessions(after=first.after, limit=2)
    found = [(session.session_id, session.user_id) for page in (first, second) for session in page.sessions]
    assert {("b", "alice"), ("c", None), ("b", None)} <= set(found)
    assert second.after is None


@pytest.mark.parametrize("cursor", ["1.x", "1.s", "9999999999999999.s"])
def test_an_invented_cursor_is_harmless(accept: Accept, sessions: SessionStore, cursor: str) -> None:
    accept()
    sessions.list_sessions(after=cursor, limit=2)
