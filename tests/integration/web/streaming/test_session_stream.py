"""A reader of a session gets the events of all its turns, once, in any web process."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from tests.support.sse import Event, SessionTab
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.conversations.conversations import Conversations
from turns.domain.error_codes import Code
from turns.domain.errors import SessionNotFound, StreamsFull
from turns.domain.events import EventType
from turns.domain.run.claim import Claim
from turns.domain.run.retry import Retry
from turns.domain.turn import Turn
from turns.session_stream.store import SessionStreamStore
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from web.streaming.connections import StreamConnections
from web.streaming.rendering import EventRenderer
from web.streaming.session_stream import SessionStreams
from web.streaming.single_flight import SingleFlight

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
Commit = Callable[[Claim], None]


class Web:
    """The parts of a web process that stream events of sessions."""

    def __init__(self, client: Client, settings: Settings, store: TurnStore) -> None:
        self.subscriptions = store.subscriptions()
        self.subscriptions.start()
        self.connections = StreamConnections(self.subscriptions, max_streams=3)
        renderer = EventRenderer(SingleFlight(store.get_turn))
        streams = SessionStreamStore(client, settings, store)
        self.streams = SessionStreams(streams, renderer, self.subscriptions, self.connections)

    def open(self, session: str = "s", *, after: str | None = None, until_idle: bool = False) -> Iterator[Event] | None:
        chunks = self.streams.open_stream(
            session, session_id=session, after=after, until_idle=until_idle, authenticate=lambda: None
        )
        return None if chunks is None else _parse(chunks)

    def watch(self, *, after: str | None = None) -> Iterator[Event]:
        events = self.open(after=after)
        assert events is not None
        return events


def _parse(chunks: Iterator[bytes]) -> Iterator[Event]:
    for chunk in chunks:
        for block in chunk.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.splitlines() if not line.startswith(":"))
            if "event" in fields:
                yield Event(fields.get("id"), fields["event"], json.loads(fields["data"]))


def take(events: Iterator[Event], last: str, *, count: int = 1) -> list[Event]:
    """Return the next events, up to the given number of events of this type."""
    taken: list[Event] = []
    while count:
        taken.append(next(events))
        count -= taken[-1].type == last
    return taken


@pytest.fixture
def start_web(client: Client, settings: Settings, store: TurnStore) -> Iterator[Callable[[], Web]]:
    started: list[Web] = []

    def start_web() -> Web:
        started.append(Web(client, settings, store))
        return started[-1]

    yield start_web
    for web in started:
        web.subscriptions.stop()


@pytest.fixture
def web(start_web: Callable[[], Web]) -> Web:
    return start_web()


@pytest.fixture
def sessions(client: Client, settings: Settings) -> SessionStore:
    return SessionStore(client, settings)


def test_a_snapshot_has_the_live_turns_and_the_text_so_far(
    web: Web, accept: Accept, claim: Take, store: TurnStore
) -> None:
    first, second = accept("one"), accept("two")
    claimed = claim(first)
    store.emit([claimed.delta(0, "Hel"), claimed.delta(3, "lo")])
    [snapshot] = take(web.watch(), "snapshot")
    assert (snapshot.data["reason"], snapshot.data["text"]) == ("opened", "Hello")
    assert [(turn["id"], turn["status"], turn["input"]) for turn in snapshot.data["turns"]] == [
        (first.id, "in_progress", "one"),
        (second.id, "queued", "two"),
    ]
    assert snapshot.data["turns"][1]["queue"]["position"] == 2
    assert snapshot.data["session"]["running_turn"] == first.id


def test_a_snapshot_has_the_parts_so_far(web: Web, accept: Accept, claim: Take, store: TurnStore) -> None:
    claimed = claim(accept())
    tool = {"call_id": "c1", "name": "clock", "state": "started"}
    store.emit(
        [
            claimed.delta(0, "Hm.", EventType.REASONING),
            claimed.delta(1, "Wait"),
            claimed.delta(5, json.dumps(tool), EventType.TOOL),
        ]
    )
    [snapshot] = take(web.watch(), "snapshot")
    assert [part["type"] for part in snapshot.data["parts"]] == ["reasoning", "text", "tool"]
    assert snapshot.data["parts"][1]["text"] == snapshot.data["text"] == "Wait"


def test_one_subscription_brings_all_turns(
    web: Web, accept: Accept, claim: Take, store: TurnStore, commit: Commit
) -> None:
    first = accept()
    events = web.watch()
    take(events, "snapshot")
    second = accept("two")
    for turn in (first, second):
        claimed = claim(turn)
        store.emit([claimed.delta(0, "x")])
        commit(claimed)
    seen = take(events, "done", count=2)
    assert [(event.type, event.data.get("turn_id")) for event in seen] == [
        ("accepted", second.id),
        ("status", first.id),
        ("delta", first.id),
        ("done", first.id),
        ("queue", None),
        ("status", second.id),
        ("delta", second.id),
        ("done", second.id),
    ]
    assert seen[0].data["turn"]["input"] == "two"
    assert seen[-1].data["turn"]["output"]["content"] == "answer to two"


@pytest.mark.parametrize("keeps_events", [True, False])
def test_each_cursor_continues_in_another_process(
    start_web: Callable[[], Web], accept: Accept, claim: Take, store: TurnStore, keeps_events: bool
) -> None:
    first = accept("one")
    events = start_web().watch()
    seen = take(events, "snapshot")
    second, third, fourth = accept("two"), accept("three"), accept("four")
    store.cancel(third.id)
    claimed = claim(first)
    store.emit([claimed.delta(0, "void")])
    store.retry(claimed, Code.PROVIDER_ERROR, Retry(after_seconds=0.0, counts=True), model="m")
    store.rescue(worker="", hint="")
    for turn in (first, second, fourth):
        claimed = claim(turn)
        store.emit([claimed.delta(0, "a"), claimed.delta(1, turn.input)])
        answer = replace(answer_to(claimed), output=f"a{turn.input}")
        store.commit(claimed, answer, tail="", keeps_events=keeps_events)
    seen += take(events, "done", count=4)
    whole = SessionTab()
    for event in seen:
        whole.apply(event)
    assert set(whole.statuses.values()) == {"completed", "cancelled"}
    assert whole.texts == {first.id: "aone", second.id: "atwo", third.id: "", fourth.id: "afour"}
    other = start_web()
    for cut in range(1, len(seen)):
        tab = SessionTab()
        for event in seen[:cut]:
            tab.apply(event)
        if (rest := other.open(after=tab.last_event_id, until_idle=True)) is not None:
            for event in rest:
                assert event.type != "snapshot"
                tab.apply(event)
        assert (tab.texts, tab.statuses) == (whole.texts, whole.statuses), f"after {cut} events"
    assert other.open(after=whole.last_event_id, until_idle=True) is None


def test_the_end_of_a_waiting_turn_moves_no_cursor(web: Web, accept: Accept, claim: Take, store: TurnStore) -> None:
    first, second = accept("one"), accept("two")
    claimed = claim(first)
    events = web.watch()
    [snapshot] = take(events, "snapshot")
    store.cancel(second.id)
    store.emit([claimed.delta(0, "x")])
    done, queue, delta = take(events, "delta")
    assert (done.type, done.id, done.data["turn"]["status"]) == ("done", None, "cancelled")
    assert (queue.type, [turn["turn_id"] for turn in queue.data["turns"]]) == ("queue", [first.id])
    assert delta.id
    again = take(web.watch(after=snapshot.id), "done")
    assert [event.type for event in again] == ["delta", "done"]


def test_a_lost_worker_resets_the_text(
    web: Web, accept: Accept, claim: Take, store: TurnStore, make_due: Callable[[Turn], None]
) -> None:
    turn = accept()
    claimed = claim(turn)
    store.emit([claimed.delta(0, "void")])
    events = web.watch()
    [snapshot] = take(events, "snapshot")
    make_due(turn)
    store.rescue(worker="", hint="")
    store.emit([claim(turn).delta(0, "new")])
    tab = SessionTab()
    for event in [snapshot, *take(events, "delta")]:
        tab.apply(event)
    assert tab.texts == {turn.id: "new"}


def test_a_reader_behind_expired_events_gets_a_snapshot(
    web: Web, accept: Accept, claim: Take, commit: Commit, server: Server
) -> None:
    first = accept()
    [snapshot] = take(web.watch(), "snapshot")
    commit(claim(first))
    server.raw.delete(keys.EVENTS(first.id))
    second = accept()
    [fresh] = take(web.watch(after=snapshot.id), "snapshot")
    assert fresh.data["reason"] == "events_gone"
    assert [turn["id"] for turn in fresh.data["turns"]] == [second.id]


def test_a_reader_ahead_of_the_store_gets_a_snapshot(web: Web, accept: Accept, claim: Take, store: TurnStore) -> None:
    """As after a failover that lost the last events."""
    turn = accept()
    store.emit([claim(turn).delta(0, "x")])
    for after in (f"1.0.{turn.id}.1-99", f"9.0.{turn.id}.1-1", f"1.0.turn_{'f' * 32}.1-1"):
        [fresh] = take(web.watch(after=after), "snapshot")
        assert (fresh.data["reason"], fresh.data["text"]) == ("events_gone", "x")


def test_an_erased_session_ends_the_stream(web: Web, accept: Accept, sessions: SessionStore) -> None:
    turn = accept()
    events = web.watch()
    [snapshot] = take(events, "snapshot")
    sessions.erase("s")
    rest = list(events)
    assert [event.type for event in rest] == ["done", "erased"]
    assert rest[0].data == {"turn_id": turn.id, "attempt": 1, "turn": None}
    with pytest.raises(SessionNotFound):
        web.watch(after=snapshot.id)
    accept()
    [fresh] = take(web.watch(after=snapshot.id), "snapshot")
    assert fresh.data["reason"] == "events_gone"


def test_deleted_messages_are_told_and_not_missed(web: Web, accept: Accept, server: Server) -> None:
    turn = accept()
    events = web.watch()
    [snapshot] = take(events, "snapshot")
    changes = server.raw.hincrby(keys.SESSION("s"), "changes", 1)
    server.raw.publish(keys.LIVE("s"), f"{turn.id} {changes} 0-0 1 message.deleted ")
    [deleted] = take(events, "message.deleted")
    assert deleted.data == {"turn_id": turn.id}
    [fresh] = take(web.watch(after=snapshot.id), "snapshot")
    assert fresh.data["reason"] == "events_gone"
    assert deleted.id
    assert [event.type for event in take(web.watch(after=deleted.id), "queue")] == ["queue"]


def test_a_new_title_is_told(web: Web, accept: Accept, claim: Take, sessions: SessionStore, settings: Settings) -> None:
    turn = accept()
    events = web.watch()
    take(events, "snapshot")
    Conversations(sessions, settings).patch("s", {"title": "Cosine"})
    [updated] = take(events, "updated")
    assert updated.data["session"]["title"] == "Cosine"
    claim(turn)
    assert [event.type for event in take(web.watch(after=updated.id), "status")] == ["status"]


def test_a_lost_acceptance_is_told_when_the_turn_starts(web: Web, accept: Accept, claim: Take, server: Server) -> None:
    first = accept()
    events = web.watch()
    take(events, "snapshot")
    server.raw.hdel(keys.SERVICE.name, "watched_until")
    second = accept()
    claim(first)
    server.raw.publish(keys.LIVE("s"), f"{second.id} 2 1-0 1 status in_progress")
    types = [(event.type, event.data.get("turn_id")) for event in take(events, "accepted")]
    assert types == [("status", first.id), ("accepted", second.id)]


def test_without_readers_no_acceptance_is_published(web: Web, accept: Accept, server: Server) -> None:
    def published() -> int:
        stats = server.raw.info("commandstats")
        return int(stats.get("cmdstat_publish", {"calls": 0})["calls"])

    before = published()
    accept()
    assert published() == before
    take(web.watch(), "snapshot")
    accept()
    assert published() == before + 1


def test_a_stream_until_idle_ends_with_the_last_turn(web: Web, accept: Accept, claim: Take, commit: Commit) -> None:
    first = accept()
    events = web.open(until_idle=True)
    assert events is not None
    take(events, "snapshot")
    commit(claim(first))
    assert [event.type for event in events] == ["status", "done"]
    assert web.open(until_idle=True) is None


def test_a_draining_process_ends_the_stream(web: Web, accept: Accept) -> None:
    accept()
    events = web.watch()
    take(events, "snapshot")
    web.connections.drain()
    assert list(events) == []


def test_streams_beyond_the_limit_are_refused(web: Web, accept: Accept) -> None:
    accept()
    streams = [web.watch() for _ in range(3)]
    for stream in streams:
        take(stream, "snapshot")
    with pytest.raises(StreamsFull):
        web.watch()


def test_a_session_that_does_not_exist_is_not_found(web: Web) -> None:
    with pytest.raises(SessionNotFound):
        web.watch()
