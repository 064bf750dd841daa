from tests.support.stub_client import StubClient
from turns.domain.state import Status
from turns.store.metrics import COUNTER_LABELS, decode_counters, read_metrics

FIELDS = {
    b"accepted|batch": b"7",
    b"duration|50": b"2",
    b"duration|100": b"3",
    b"duration|inf": b"1",
    b"duration|sum": b"9500",
}


def test_each_duration_is_a_completed_turn() -> None:
    assert decode_counters(FIELDS)[f"ended|{Status.COMPLETED}|"] == 6
    assert decode_counters({b"accepted|batch": b"7"}) == {"accepted|batch": 7}


def test_buckets_are_cumulative_and_in_seconds() -> None:
    client = StubClient(FIELDS, (100, 0), [(b"turn_1", 98_500.0)], [], b"3", 1, 0, (100, 0), [b"w"], {}, 1)
    metrics = read_metrics(client.as_client)
    duration = metrics.histograms["duration"]
    assert [*duration.buckets[:3], duration.buckets[-1]] == [(0.05, 2), (0.1, 5), (0.25, 5), (float("inf"), 6)]
    assert duration.sum == 9.5
    assert metrics.counters["accepted"] == {("batch",): 7}
    assert metrics.counters["ended"] == {("completed", ""): 6}
    assert set(metrics.counters) == set(COUNTER_LABELS)
    assert metrics.gauges["oldest_waiting_seconds"] == 1.5
