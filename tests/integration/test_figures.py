"""What is counted is counted for its minute too, and can be read as series."""

from collections.abc import Callable, Iterator

import pytest

from tests.server import Server
from turns import keys
from turns.codes import Code
from turns.connection import connect
from turns.figures import Chronicle
from turns.rendering import MINUTE_TTL_SECONDS
from turns.settings import Settings
from turns.state import Status
from turns.store import TurnStore
from turns.turn import Claim, Turn

Accept = Callable[..., Turn]
Take = Callable[[Turn], Claim]


@pytest.fixture
def chronicle(settings: Settings) -> Iterator[Chronicle]:
    with connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=2) as client:
        yield Chronicle(client)


@pytest.fixture
def minute(server: Server) -> int:
    """The minute that it is, on the store's clock."""
    return int(server.raw.time()[0]) // 60


def test_what_happens_is_in_the_last_points(
    accept: Accept, claim: Take, commit: Callable[[Claim], None], store: TurnStore, chronicle: Chronicle
) -> None:
    commit(claim(accept()))
    store.fail(claim(accept()), Code.PROVIDER_QUOTA)
    accept()
    recent = chronicle.recent()
    assert (recent.accepted, recent.ended[Status.COMPLETED], recent.ended[Status.FAILED]) == (3, 1, 1)
    assert recent.error_share == 0.5
    assert recent.wait_p95_seconds is not None
    for minutes, points in ((15, 15), (360, 72), (1440, 96)):
        series = chronicle.series(minutes)
        assert len(series) == points
        assert sum(point.accepted for point in series) == 3
        assert {point.at % (minutes // points * 60_000) for point in series} == {0}, "points begin at round times"


def test_each_minute_expires_after_a_day_and_an_hour(accept: Accept, server: Server) -> None:
    accept()
    accept()
    for key in server.raw.scan_iter(keys.MINUTE("*")):
        assert 0 < server.raw.ttl(key) <= MINUTE_TTL_SECONDS


def test_a_first_token_is_timed_once_for_each_run(
    accept: Accept, claim: Take, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    store.emit([claimed.piece(0, "a")])
    store.emit([claimed.piece(1, "b")])
    counted = server.raw.hgetall(keys.METRICS.name)
    assert sum(int(n) for name, n in counted.items() if name.startswith(b"first_token|") and b"sum" not in name) == 1


def test_times_are_estimated_inside_their_bucket(chronicle: Chronicle, server: Server, minute: int) -> None:
    server.raw.hset(keys.MINUTE(str(minute)), mapping={"wait|100": 50, "wait|250": 50, "wait|sum": 1})
    recent = chronicle.recent()
    assert recent.wait_p50_seconds == pytest.approx(0.1)
    assert recent.wait_p95_seconds == pytest.approx(0.1 + 0.9 * 0.15)


def test_what_took_longer_than_the_largest_bucket_is_at_least_that(
    chronicle: Chronicle, server: Server, minute: int
) -> None:
    server.raw.hset(keys.MINUTE(str(minute)), mapping={"duration|inf": 1})
    assert chronicle.recent().duration_p95_seconds == 300


def test_a_minute_that_is_over_is_read_once(chronicle: Chronicle, server: Server, minute: int) -> None:
    earlier = keys.MINUTE(str(minute - 10))
    server.raw.hset(earlier, "accepted|interactive", 7)
    assert sum(point.accepted for point in chronicle.series(15)) == 7
    server.raw.delete(earlier)
    server.raw.hset(keys.MINUTE(str(minute)), "accepted|interactive", 2)
    assert sum(point.accepted for point in chronicle.series(15)) == 9


def test_without_turns_there_is_nothing_and_no_share_of_it(chronicle: Chronicle) -> None:
    assert {point.error_share for point in chronicle.series(1440)} == {None}
    assert chronicle.recent().first_token_p95_seconds is None
