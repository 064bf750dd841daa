import pytest

from turns.domain.state import Status
from turns.operations.time_series import StatsPoint, build_point, fill_gaps


def point(**counted: int) -> StatsPoint:
    """Return the point of an interval with these events; `_of_` stands for the separator of a field name."""
    return build_point(0, {}, {name.replace("_of_", "|"): amount for name, amount in counted.items()})


def test_a_point_is_the_difference_of_two_snapshots() -> None:
    before = {"accepted|batch": 5, "accepted|interactive": 1, "ended|failed|worker_lost": 2}
    after = {"accepted|batch": 6, "accepted|interactive": 4, "ended|failed|worker_lost": 2, "ended|cancelled|": 1}
    found = build_point(29_000_000, before, after)
    assert (found.at, found.accepted) == (1_740_000_000_000, 4)
    assert (found.ended[Status.CANCELLED], found.ended[Status.FAILED], found.ended[Status.COMPLETED]) == (1, 0, 0)


def test_only_completed_and_failed_turns_have_an_error_share() -> None:
    found = build_point(0, {}, {"ended|completed|": 3, "ended|failed|chain_error": 1, "ended|cancelled|": 5})
    assert found.error_share == 0.25
    assert build_point(0, {}, {"ended|cancelled|": 5}).error_share is None


def test_percentiles_are_estimated_inside_their_bucket() -> None:
    found = point(wait_of_100=50, wait_of_250=50, wait_of_sum=1)
    assert found.wait_p50_seconds == pytest.approx(0.1)
    assert found.wait_p95_seconds == pytest.approx(0.1 + 0.9 * 0.15)


def test_a_percentile_in_the_first_bucket_begins_at_zero() -> None:
    assert point(wait_of_50=10).wait_p50_seconds == pytest.approx(0.025)


def test_a_percentile_is_capped_at_the_largest_bucket() -> None:
    assert point(duration_of_inf=1).duration_p95_seconds == 300


def test_without_events_there_are_no_shares_and_no_percentiles() -> None:
    found = point()
    assert (found.error_share, found.wait_p50_seconds, found.first_token_p95_seconds) == (None, None, None)
    assert set(found.ended.values()) == {0}


def test_a_missing_snapshot_is_the_one_before_it() -> None:
    first, second = {"accepted|batch": 1}, {"accepted|batch": 2}
    assert fill_gaps([{}, first, {}, {}, second]) == [first, first, first, first, second]
    assert fill_gaps([{}, {}]) == [{}, {}]


def test_the_depth_of_a_missing_snapshot_is_unknown() -> None:
    assert fill_gaps([{"accepted|batch": 1, "depth|live": 3}, {}]) == [
        {"accepted|batch": 1, "depth|live": 3},
        {"accepted|batch": 1},
    ]
    assert point(depth_of_live=3).live_turns == 3
    assert point().live_turns is None
