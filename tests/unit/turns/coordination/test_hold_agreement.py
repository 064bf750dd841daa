import pytest

from turns.backend.script_loader import FOLLOW_MS
from turns.coordination.hold_agreement import Act, Agreement, HoldView, agree

FREE = Agreement(acts={}, is_held=False)
WAITING = HoldView(remaining_ms=500, held=3)
DUE = HoldView(remaining_ms=-200, held=3)
PROBING = HoldView(remaining_ms=-200, is_probing=True)
EMPTY = HoldView(remaining_ms=500)
ANSWERED = HoldView(remaining_ms=-100, held=3, fields={"answered_at": "1"})


def following(leader: int, *, remaining_ms: int = FOLLOW_MS, held: int = 0, waited_ms: int = 0) -> HoldView:
    fields = {"probe": f"partition/{leader}"}
    return HoldView(remaining_ms=remaining_ms, held=held, waited_ms=waited_ms, fields=fields)


def test_a_model_that_is_free_everywhere_needs_nothing() -> None:
    assert agree({0: None, 1: None}) == FREE
    assert agree({0: ANSWERED, 1: None}) == FREE


def test_all_partitions_follow_the_one_that_found_out() -> None:
    assert agree({0: None, 1: WAITING, 2: None}) == Agreement(
        acts={0: Act.FOLLOW, 2: Act.FOLLOW}, leader=1, remaining_ms=500
    )


def test_of_several_that_found_out_one_is_followed() -> None:
    found = HoldView(remaining_ms=500, held=1, waited_ms=900)
    assert agree({0: WAITING, 1: found, 2: EMPTY}) == Agreement(
        acts={0: Act.FOLLOW, 2: Act.FOLLOW}, leader=1, remaining_ms=500
    )


def test_one_that_is_followed_stays_the_leader() -> None:
    older = HoldView(remaining_ms=500, held=1, waited_ms=900)
    assert agree({0: WAITING, 1: older, 2: following(0)}) == Agreement(acts={1: Act.FOLLOW}, leader=0, remaining_ms=500)


@pytest.mark.parametrize("remaining_ms", [FOLLOW_MS // 2 - 1, 100 * FOLLOW_MS])
def test_a_lease_is_extended_in_time_and_shortened(remaining_ms: int) -> None:
    views = {0: DUE, 1: following(0), 2: following(0, remaining_ms=remaining_ms)}
    assert agree(views) == Agreement(acts={2: Act.FOLLOW}, leader=0, remaining_ms=-200)


def test_a_follower_takes_over_from_one_without_turns() -> None:
    views = {0: EMPTY, 1: following(0, held=1, waited_ms=10), 2: following(0, held=1, waited_ms=20)}
    assert agree(views) == Agreement(acts={2: Act.LEAD, 0: Act.FOLLOW, 1: Act.FOLLOW}, leader=2, remaining_ms=500)


def test_no_partition_takes_over_while_the_last_turn_probes() -> None:
    assert agree({0: PROBING, 1: following(0, held=1)}) == Agreement(acts={}, leader=0, remaining_ms=-200)


def test_a_follower_takes_over_from_one_that_is_away() -> None:
    assert agree({1: following(0), 2: following(0, held=1)}) == Agreement(
        acts={2: Act.LEAD, 1: Act.FOLLOW}, leader=2, remaining_ms=FOLLOW_MS
    )


def test_an_answer_frees_the_model_everywhere() -> None:
    assert agree({0: ANSWERED, 1: following(0), 2: None}) == Agreement(acts={1: Act.REOPEN}, is_held=False)


def test_a_hold_that_has_ended_frees_the_model_everywhere() -> None:
    assert agree({0: None, 1: following(0)}) == Agreement(acts={1: Act.REOPEN}, is_held=False)


def test_a_failure_after_the_answer_holds_the_model_again() -> None:
    assert agree({0: ANSWERED, 1: WAITING, 2: None}) == Agreement(
        acts={0: Act.FOLLOW, 2: Act.FOLLOW}, leader=1, remaining_ms=500
    )


def test_an_answer_counts_when_the_time_of_the_hold_is_over() -> None:
    assert agree({0: ANSWERED, 1: DUE}) == Agreement(acts={1: Act.REOPEN}, is_held=False)


def test_a_partition_that_probes_by_itself_is_not_a_follower() -> None:
    assert agree({0: DUE, 1: PROBING, 2: following(0)}) == Agreement(acts={1: Act.FOLLOW}, leader=0, remaining_ms=-200)
    assert agree({1: PROBING, 2: following(0)}) == Agreement(acts={2: Act.FOLLOW}, leader=1, remaining_ms=-200)
