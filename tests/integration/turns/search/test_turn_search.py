"""Live and ended turns of all tenants are found by their values, in pages, newest first."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import Server
from turns.access.api_key import Scope
from turns.access.api_keys import ApiKeyStore
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter
from turns.search import indexes, turn_search
from turns.search.search import Search
from turns.search.turn_search import TurnQuery
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
TRACE = "a" * 32


@pytest.fixture
def search(client: Client, settings: Settings, store: TurnStore) -> Search:
    """Return the search of a service with the tenants `-` and `acme`."""
    ApiKeyStore(client).create_key("acme", [Scope.TURNS])
    return Search(client, settings)


@pytest.fixture
def turns(
    accept: Accept, claim: Callable[[Turn], Claim], commit: Callable[[Claim], None], store: TurnStore
) -> dict[str, str]:
    """Accept some turns and end some of them; return their ids by name."""
    done = accept(session_id="a", user_id="alice", request_id="req-1", traceparent=f"00-{TRACE}-{'b' * 16}-01")
    commit(claim(done))
    failed = accept(session_id="b", user_id="alice", tenant="acme", request_id="req-2")
    store.fail(claim(failed), Code.PROVIDER_QUOTA)
    live = accept(session_id="b", user_id="alice", tenant="acme", idempotency_key="key-1", request_id="req-2")
    other = accept(session_id="b", tenant="acme")
    return {"done": done.id, "failed": failed.id, "live": live.id, "other": other.id}


def found(search: Search, query: TurnQuery, *, limit: int = 100) -> list[str]:
    """Return the ids of all pages."""
    ids, after = [], None
    while True:
        page = search.list_turns(query, after=after, limit=limit)
        ids += [turn.id for turn in page.turns]
        if (after := page.after) is None:
            return ids


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({}, ["other", "live", "failed", "done"]),
        ({"tenant": "-"}, ["done"]),
        ({"user_id": "alice"}, ["live", "failed", "done"]),
        ({"user_id": "alice", "tenant": "acme"}, ["live", "failed"]),
        ({"session_id": "b"}, ["other", "live", "failed"]),
        ({"session_id": "b", "user_id": "alice", "tenant": "acme"}, ["live", "failed"]),
        ({"statuses": {Status.FAILED, Status.COMPLETED}}, ["failed", "done"]),
        ({"code": Code.PROVIDER_QUOTA}, ["failed"]),
        ({"model": "m"}, ["failed", "done"]),
        ({"assistant": "nobody"}, []),
    ],
)
@pytest.mark.parametrize("limit", [1, 100])
def test_turns_are_found_by_their_values(
    search: Search, turns: dict[str, str], conditions: dict[str, Any], expected: list[str], limit: int
) -> None:
    query = TurnQuery(filter=TurnFilter(**conditions))
    assert found(search, query, limit=limit) == [turns[name] for name in expected]


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ({"request_id": "req-1"}, ["done"]),
        ({"request_id": "req-2"}, ["live", "failed"]),
        ({"request_id": "unknown"}, []),
        ({"trace_id": TRACE}, ["done"]),
        ({"idempotency_key": "key-1"}, ["live"]),
        ({"idempotency_key": "key-1", "filter": TurnFilter(tenant="-")}, []),
        ({"worker": "w"}, ["failed", "done"]),
        ({"text": "lic", "filter": TurnFilter(tenant="acme")}, ["live", "failed"]),
    ],
)
def test_turns_are_found_by_what_is_known_of_their_requests(
    search: Search, turns: dict[str, str], conditions: dict[str, Any], expected: list[str]
) -> None:
    assert found(search, TurnQuery(**conditions), limit=1) == [turns[name] for name in expected]


def test_turns_are_found_by_the_time_of_their_acceptance(search: Search, accept: Accept, server: Server) -> None:
    ids = [accept(session_id=str(n), user_id="alice").id for n in range(4)]
    for at, turn_id in enumerate(ids, start=1000):
        server.raw.zadd(keys.TURNS("-"), {turn_id: at})
        server.raw.hset(keys.TURN(turn_id), "accepted_at", at)
    query = TurnQuery(filter=TurnFilter(accepted_after=1001, accepted_before=1003))
    assert found(search, query, limit=1) == [ids[2], ids[1]]


def test_turns_of_one_millisecond_are_found_once(search: Search, accept: Accept, server: Server) -> None:
    ids = [accept(session_id=str(n)).id for n in range(7)]
    server.raw.zadd(keys.TURNS("-"), dict.fromkeys(ids, 1000))
    assert found(search, TurnQuery(), limit=2) == sorted(ids, reverse=True)


def test_many_turns_of_many_tenants_are_found_once(
    client: Client, accept: Accept, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexes, "MIN_CHUNK", 1)
    monkeypatch.setattr(indexes, "CHUNK", 3)
    ids = [accept(session_id=str(n), tenant=("acme", "-")[n % 3 == 0]).id for n in range(40)]
    assert found(search, TurnQuery(), limit=7) == ids[::-1]


def test_tenants_without_a_valid_key_are_searched(
    client: Client, accept: Accept, search: Search, server: Server
) -> None:
    turn = accept(tenant="acme", user_id="alice")
    for key in ApiKeyStore(client).list_keys():
        ApiKeyStore(client).revoke_key(key.id)
    assert found(search, TurnQuery(filter=TurnFilter(user_id="alice"))) == [turn.id]


def test_a_session_id_of_many_users_is_read_in_part(
    accept: Accept, search: Search, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_search, "MAX_SESSIONS", 2)
    for n in range(3):
        accept(session_id="main", user_id=f"u{n}")
    page = search.list_turns(TurnQuery(filter=TurnFilter(session_id="main")), limit=10)
    assert (len(page.turns), page.is_complete) == (2, False)


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols_of_the_store_are_read(settings: Settings, accept: Accept, protocol: int) -> None:
    ids = [accept(session_id=str(n)).id for n in range(3)]
    url = f"{settings.store_url}{'&' if '?' in settings.store_url else '?'}protocol={protocol}"
    with connect(url, timeout_seconds=5, retries=0, max_connections=1) as client:
        assert found(Search(client, settings), TurnQuery()) == ids[::-1]


def test_the_turns_of_a_batch_are_found_by_its_key(search: Search, accept: Accept) -> None:
    ids = [accept(session_id=str(n), idempotency_key=f"batch\n{n}").id for n in (1, 5)]
    assert found(search, TurnQuery(idempotency_key="batch")) == ids[::-1]


def test_a_page_reads_a_limited_number_of_turns(
    search: Search, accept: Accept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn_search, "CHUNK", 2)
    monkeypatch.setattr(turn_search, "MAX_READS", 4)
    first, *_ = [accept(session_id=f"s{n}") for n in range(7)]
    page = search.list_turns(TurnQuery(text="s0"), limit=10)
    assert (page.turns, page.is_complete) == ((), False)
    following = search.list_turns(TurnQuery(text="s0"), after=page.after, limit=10)
    assert ([turn.id for turn in following.turns], following.is_complete, following.after) == ([first.id], True, None)


def test_the_last_turns_of_a_session_are_listed(search: Search, turns: dict[str, str]) -> None:
    listed = [turn.id for turn in search.list_session_turns("acme/alice/b")]
    assert listed == [turns["live"], turns["failed"]]


def test_an_erased_turn_is_not_found(search: Search, turns: dict[str, str], sessions: SessionStore) -> None:
    sessions.erase("acme/alice/b")
    assert found(search, TurnQuery(filter=TurnFilter(user_id="alice"))) == [turns["done"]]
    assert found(search, TurnQuery(request_id="req-2")) == []
    assert found(search, TurnQuery(idempotency_key="key-1")) == []
