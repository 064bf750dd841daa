"""What was counted is noted each minute, so what happened in some time can be told."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.server import Server
from turns import keys
from turns.codes import Code
from turns.connection import Client, connect
from turns.figures import STEPS, read_recent, read_series
from turns.settings import Settings
from turns.state import Status
from turns.store import TurnStore
from turns.turn import Claim, Turn

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]
Note = Callable[..., None]


@pytest.fixture
def client(settings: Settings) -> Iterator[Client]:
    with connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=2) as client:
        yield client


@pytest.fixture
def note(server: Server) -> Note:
    """Notes that so much had been counted when a minute began, so many minutes ago."""
    this = int(server.raw.time()[0]) // 60

    def note(minutes_ago: int, **counted: Any) -> None:
        fields = {name.replace("_of_", "|"): amount for name, amount in counted.items()}
        server.raw.xadd(keys.NOTES.name, {"noted_at": 1, **fields}, id=f"{(this - minutes_ago) * 60_000}-0")

    return note


@pytest.fixture
def now_counted(server: Server) -> Callable[[dict[str, int]], None]:
    return lambda counted: server.raw.hset(keys.METRICS.name, mapping=counted)


def accepted(client: Client, minutes: int) -> list[int]:
    return [point.accepted for point in read_series(client, minutes)]


def test_what_happens_is_in_the_last_points(
    accept: Accept, claim: Take, commit: Callable[[Claim], None], store: TurnStore, client: Client
) -> None:
    store.rescue(worker="", hint="")
    commit(claim(accept()))
    store.fail(claim(accept()), Code.PROVIDER_QUOTA)
    accept()
    recent = read_recent(client)
    assert (recent.accepted, recent.ended[Status.COMPLETED], recent.ended[Status.FAILED]) == (3, 1, 1)
    assert recent.error_share == 0.5
    assert recent.wait_p95_seconds is not None
    for minutes, step in STEPS.items():
        series = read_series(client, minutes)
        assert len(series) == minutes // step
        assert sum(point.accepted for point in series) == 3
        assert {point.at % (step * 60_000) for point in series} == {0}, "points begin at round times"


def test_a_minute_is_noted_once_and_for_a_day_and_an_hour(
    accept: Accept, store: TurnStore, server: Server, note: Note
) -> None:
    for minutes_ago in (25 * 60 + 1, 25 * 60 - 1):
        note(minutes_ago)
    store.rescue(worker="", hint="")
    noted = server.raw.xrange(keys.NOTES.name)
    assert len(noted) == 2, "the one of a day and an hour ago has left"
    accept()
    store.rescue(worker="", hint="")
    assert server.raw.xrange(keys.NOTES.name, max=noted[-1][0]) == noted


def test_models_without_number_are_no_part_of_a_note(store: TurnStore, server: Server) -> None:
    counted = {f"tokens|{kind}|model-{n}": 1 for n in range(5000) for kind in ("input", "output")}
    server.raw.hset(keys.METRICS.name, mapping={**counted, "accepted|interactive": 7})
    store.rescue(worker="w", hint="")
    [(_, fields)] = server.raw.xrange(keys.NOTES.name)
    assert set(fields) == {b"noted_at", b"accepted|interactive"}


def test_a_point_is_what_came_between_two_notes(client: Client, note: Note, now_counted: Callable[..., None]) -> None:
    for minutes_ago in reversed(range(15)):
        note(minutes_ago, accepted_of_batch=100 - minutes_ago)
    now_counted({"accepted|batch": 105})
    assert accepted(client, 15) == [*[1] * 14, 5]


def test_what_nobody_noted_is_told_with_what_came_after(
    client: Client, note: Note, now_counted: Callable[..., None]
) -> None:
    note(8, accepted_of_batch=1000)  # before that nothing is known; what was counted then did not happen at once
    note(3, accepted_of_batch=1006)
    now_counted({"accepted|batch": 1007})
    assert accepted(client, 15) == [*[0] * 10, 6, 0, 0, 0, 1]


def test_where_nothing_was_ever_noted_nothing_is_told(client: Client, now_counted: Callable[..., None]) -> None:
    now_counted({"accepted|batch": 7})
    assert set(accepted(client, 15)) == {0}


def test_a_first_token_is_timed_once_for_each_run(
    accept: Accept, claim: Take, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    store.emit([claimed.piece(0, "a")])
    store.emit([claimed.piece(1, "b")])
    counted = server.raw.hgetall(keys.METRICS.name)
    assert sum(int(n) for name, n in counted.items() if name.startswith(b"first_token|") and b"sum" not in name) == 1


def test_times_are_estimated_inside_their_bucket(client: Client, note: Note, now_counted: Callable[..., None]) -> None:
    note(1)
    now_counted({"wait|100": 50, "wait|250": 50, "wait|sum": 1})
    recent = read_recent(client)
    assert recent.wait_p50_seconds == pytest.approx(0.1)
    assert recent.wait_p95_seconds == pytest.approx(0.1 + 0.9 * 0.15)


def test_what_took_longer_than_the_largest_bucket_is_at_least_that(
    client: Client, note: Note, now_counted: Callable[..., None]
) -> None:
    note(1)
    now_counted({"duration|inf": 1})
    assert read_recent(client).duration_p95_seconds == 300


def test_without_turns_there_is_nothing_and_no_share_of_it(client: Client) -> None:
    assert {point.error_share for point in read_series(client, 1440)} == {None}
    assert read_recent(client).first_token_p95_seconds is None
