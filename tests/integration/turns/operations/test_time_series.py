"""Tests of the time series that are computed from snapshots of the counters."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.operations.time_series import RESOLUTIONS, read_recent, read_series
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
AddSnapshot = Callable[..., None]


@pytest.fixture
def add_snapshot(server: Server) -> AddSnapshot:
    """Return a function that adds a snapshot of counters, taken this number of minutes ago."""
    this = int(server.raw.time()[0]) // 60

    def add_snapshot(minutes_ago: int, **counted: Any) -> None:
        fields = {name.replace("_of_", "|"): amount for name, amount in counted.items()}
        server.raw.xadd(keys.COUNTER_SNAPSHOTS.name, {"noted_at": 1, **fields}, id=f"{(this - minutes_ago) * 60_000}-0")

    return add_snapshot


@pytest.fixture
def set_counters(server: Server) -> Callable[[dict[str, int]], None]:
    return lambda counted: server.raw.hset(keys.METRICS.name, mapping=counted)


def accepted(client: Client, minutes: int) -> list[int]:
    return [point.accepted for point in read_series(client, minutes)]


def test_recent_events_are_in_the_last_points(
    accept: Accept, claim: ClaimTurn, commit: Callable[[Claim], None], store: TurnStore, client: Client
) -> None:
    store.rescue(worker="", hint="")
    commit(claim(accept()))
    store.fail(claim(accept()), Code.PROVIDER_QUOTA)
    accept()
    recent = read_recent(client)
    assert (recent.accepted, recent.ended[Status.COMPLETED], recent.ended[Status.FAILED]) == (3, 1, 1)
    assert recent.error_share == 0.5
    assert recent.wait_p95_seconds is not None
    for minutes, step in RESOLUTIONS.items():
        series = read_series(client, minutes)
        assert len(series) == minutes // step
        assert sum(point.accepted for point in series) == 3
        assert {point.at % (step * 60_000) for point in series} == {0}, "points begin at round times"


def test_counters_are_copied_once_a_minute_and_kept_for_25_hours(
    accept: Accept, store: TurnStore, server: Server, add_snapshot: AddSnapshot
) -> None:
    for minutes_ago in (25 * 60 + 1, 25 * 60 - 1):
        add_snapshot(minutes_ago)
    store.rescue(worker="", hint="")
    snapshots = server.raw.xrange(keys.COUNTER_SNAPSHOTS.name)
    assert len(snapshots) == 2, "the one that is older than 25 hours is deleted"
    accept()
    store.rescue(worker="", hint="")
    assert server.raw.xrange(keys.COUNTER_SNAPSHOTS.name, max=snapshots[-1][0]) == snapshots


def test_a_snapshot_leaves_out_the_tokens_of_models(store: TurnStore, server: Server) -> None:
    counted = {f"tokens|{kind}|model-{n}": 1 for n in range(5000) for kind in ("input", "output")}
    server.raw.hset(keys.METRICS.name, mapping={**counted, "accepted|interactive": 7})
    store.rescue(worker="w", hint="")
    [(_, fields)] = server.raw.xrange(keys.COUNTER_SNAPSHOTS.name)
    assert set(fields) == {b"noted_at", b"depth|live", b"depth|waiting", b"accepted|interactive"}


def test_a_point_has_the_live_and_waiting_turns_at_its_end(
    accept: Accept, store: TurnStore, server: Server, client: Client, add_snapshot: AddSnapshot
) -> None:
    add_snapshot(3, depth_of_live=7, depth_of_waiting=4)
    add_snapshot(2, accepted_of_batch=1)  # by a worker of an earlier version
    accept()
    depth = [(point.live_turns, point.waiting_turns) for point in read_series(client, 15)]
    assert depth[-5:] == [(7, 4), (None, None), (None, None), (None, None), (1, 1)]
    store.rescue(worker="w", hint="")
    [_, _, (_, fields)] = server.raw.xrange(keys.COUNTER_SNAPSHOTS.name)
    assert (fields[b"depth|live"], fields[b"depth|waiting"]) == (b"1", b"1")


def test_minutes_without_a_snapshot_count_in_the_next_interval(
    client: Client, add_snapshot: AddSnapshot, set_counters: Callable[..., None]
) -> None:
    add_snapshot(8, accepted_of_batch=1000)  # events before the first snapshot are in no point
    add_snapshot(3, accepted_of_batch=1006)
    set_counters({"accepted|batch": 1007})
    assert accepted(client, 15) == [*[0] * 10, 6, 0, 0, 0, 1]


def test_a_first_token_is_timed_once_for_each_run(
    accept: Accept, claim: ClaimTurn, store: TurnStore, server: Server
) -> None:
    claimed = claim(accept())
    store.emit([claimed.delta(0, "a")])
    store.emit([claimed.delta(1, "b")])
    counted = server.raw.hgetall(keys.METRICS.name)
    assert sum(int(n) for name, n in counted.items() if name.startswith(b"first_token|") and b"sum" not in name) == 1
