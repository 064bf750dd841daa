"""A tenant's feed has each ended turn once, in the order of the ends, and wakes its readers."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from tests.support.server import Server
from tests.support.waiting import wait_until
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.pubsub import Subscriptions
from turns.config.settings import Settings
from turns.domain.run.claim import Claim
from turns.domain.turn import Turn
from turns.ended_turns.feed import EndedTurns
from turns.store.turns import TurnStore
from web.streaming.connections import StreamConnections
from web.streaming.ended_feed import EndedFeed

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
Commit = Callable[[Claim], None]
DAY_MS = 86_400_000


@pytest.fixture
def ended(client: Client, settings: Settings) -> EndedTurns:
    return EndedTurns(client, settings)


@pytest.fixture
def subscriptions(store: TurnStore) -> Iterator[Subscriptions]:
    subscriptions = store.subscriptions()
    subscriptions.start()
    yield subscriptions
    subscriptions.stop()


@pytest.fixture
def connections(subscriptions: Subscriptions) -> StreamConnections:
    return StreamConnections(subscriptions, max_streams=10)


@pytest.fixture
def feed(ended: EndedTurns, subscriptions: Subscriptions, connections: StreamConnections) -> EndedFeed:
    return EndedFeed(ended, subscriptions, connections)


@pytest.fixture
def end_turns(accept: Accept, store: TurnStore, server: Server) -> Callable[..., list[str]]:
    """Return a function that ends turns of a tenant, each in another millisecond, and returns their ids."""

    def end_turns(count: int, *, tenant: str = "acme") -> list[str]:
        turns = [accept(tenant=tenant, session_id=f"{tenant}-{n}") for n in range(count)]
        for turn in turns:
            store.cancel(turn.id, tenant=tenant)
            ended_at = store.get_turn(turn.id, tenant=tenant).finished_at or 0
            wait_until("the millisecond is over", partial(_is_after, server, ended_at))
        return [turn.id for turn in turns]

    return end_turns


def _is_after(server: Server, at: int) -> bool:
    return _now_ms(server) > at


def _now_ms(server: Server) -> int:
    seconds, microseconds = server.raw.time()
    return int(seconds * 1000 + microseconds // 1000)


def test_pages_have_each_ended_turn_of_the_tenant_once(
    ended: EndedTurns, end_turns: Callable[..., list[str]], accept: Accept
) -> None:
    expected = end_turns(3)
    end_turns(2, tenant="other")
    expected += end_turns(2)
    accept(tenant="acme")
    after, seen = None, []
    while True:
        page = ended.read(tenant="acme", after=after, limit=2)
        seen += [turn.id for turn in page.turns]
        assert not page.has_gap
        after = page.after
        if not page.has_more:
            break
    assert seen == expected
    assert ended.read(tenant="acme", after=after, limit=2).turns == ()


def test_a_page_reads_a_bounded_number_of_entries(
    ended: EndedTurns, end_turns: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turns.ended_turns.feed.MAX_READS", 3)
    end_turns(5, tenant="other")
    [own] = end_turns(1)
    page = ended.read(tenant="acme", after=None, limit=10)
    assert (page.turns, page.has_more) == ((), True)
    while page.has_more:
        page = ended.read(tenant="acme", after=page.after, limit=10)
    assert [turn.id for turn in page.turns] == [own]


def test_a_millisecond_is_never_split(
    ended: EndedTurns, end_turns: Callable[..., list[str]], server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = set(end_turns(6))
    at = server.raw.zrange(keys.EXPIRING.name, 0, 0, withscores=True)[0][1]
    server.raw.zadd(keys.EXPIRING.name, dict.fromkeys(server.raw.zrange(keys.EXPIRING.name, 0, -1), at))
    assert {turn.id for turn in ended.read(tenant="acme", after=None, limit=2).turns} == turns
    monkeypatch.setattr("turns.ended_turns.feed.MAX_READS", 3)
    page = ended.read(tenant="acme", after=None, limit=2)
    assert {turn.id for turn in page.turns} == turns
    assert ended.read(tenant="acme", after=page.after, limit=2).turns == ()


def test_a_turn_of_the_present_millisecond_waits_for_the_next_page(
    ended: EndedTurns, end_turns: Callable[..., list[str]], server: Server
) -> None:
    """Another turn can still end in it."""
    end_turns(1)
    [member] = server.raw.zrange(keys.EXPIRING.name, 0, -1)
    server.raw.zincrby(keys.EXPIRING.name, 3_600_000, member)
    page = ended.read(tenant="acme", after=None, limit=10)
    assert (page.turns, page.has_more) == ((), False)
    assert page.after < _now_ms(server)


def test_a_cursor_of_the_day_before_has_a_gap(ended: EndedTurns, server: Server) -> None:
    assert ended.read(tenant="acme", after=_now_ms(server) - DAY_MS - 60_000, limit=1).has_gap
    assert not ended.read(tenant="acme", after=_now_ms(server) - 60_000, limit=1).has_gap
    assert not ended.read(tenant="acme", after=None, limit=1).has_gap
    assert ended.now(tenant="acme") <= _now_ms(server)


def test_a_waiting_page_is_answered_when_a_turn_ends(
    feed: EndedFeed, end_turns: Callable[..., list[str]], server: Server, connections: StreamConnections
) -> None:
    with ThreadPoolExecutor(1) as callers:
        answer = callers.submit(feed.read, tenant="acme", after=feed.now(tenant="acme"), limit=10, wait_seconds=30)
        wait_until("it waits", lambda: server.raw.pubsub_numsub(keys.ENDED.name)[0][1])
        end_turns(1, tenant="other")
        [turn_id] = end_turns(1)
        assert [turn.id for turn in answer.result(60).turns] == [turn_id]
        drained = callers.submit(feed.read, tenant="acme", after=feed.now(tenant="acme"), limit=10, wait_seconds=30)
        wait_until("it waits", lambda: server.raw.pubsub_numsub(keys.ENDED.name)[0][1])
        connections.drain()
        assert drained.result(60).turns == ()


def test_a_stream_has_the_turns_as_they_end(
    feed: EndedFeed, end_turns: Callable[..., list[str]], server: Server, connections: StreamConnections
) -> None:
    before = end_turns(2)
    seen: list[tuple[str, str]] = []

    def read() -> None:
        for chunk in feed.open_stream(tenant="acme", after=None, authenticate=lambda: None):
            for block in chunk.decode().split("\n\n"):
                fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
                if "data" in fields:
                    seen.append((fields.get("id", ""), json.loads(fields["data"])["turn"]["id"]))

    reading = threading.Thread(target=read)
    reading.start()
    wait_until("it has the first turns", lambda: len(seen) == 2)
    after = end_turns(2)
    wait_until("it has the others", lambda: len(seen) == 4)
    connections.drain()
    reading.join()
    assert [turn_id for _, turn_id in seen] == [*before, *after]
    cursor = int(seen[2][0])
    rest = feed.read(tenant="acme", after=cursor, limit=10, wait_seconds=0)
    assert [turn.id for turn in rest.turns] == after[1:]
