"""Conditions on turns."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.records import record
from turns.domain.error_codes import Code
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_filter import TurnFilter

TURN = replace(
    Turn.from_record("turn_1", record(Status.FAILED)),
    tenant="acme",
    user_id="u1",
    session_id="s1",
    assistant="support",
    model="big",
    error_code=Code.PROVIDER_ERROR,
    accepted_at=1000,
)
FAILED_TURNS_OF_THE_USER = TurnFilter(tenant="acme", user_id="u1", statuses={Status.FAILED, Status.CANCELLED})


def test_a_filter_without_conditions_matches_any_turn() -> None:
    assert TurnFilter().matches(TURN)
    assert TurnFilter().matches(replace(TURN, user_id=None, model=None, error_code=None))


@pytest.mark.parametrize(
    ("name", "value", "other"),
    [
        ("tenant", "acme", "globex"),
        ("user_id", "u1", "u2"),
        ("session_id", "s1", "s2"),
        ("assistant", "support", "sales"),
        ("model", "big", "small"),
        ("statuses", {Status.FAILED, Status.COMPLETED}, {Status.COMPLETED}),
        ("code", Code.PROVIDER_ERROR, "code_of_a_newer_release"),
        ("accepted_after", 1000, 1001),
        ("accepted_before", 1001, 1000),
    ],
)
def test_each_condition_is_checked(name: str, value: Any, other: Any) -> None:
    assert TurnFilter(**{name: value}).matches(TURN)
    assert not TurnFilter(**{name: other}).matches(TURN)


def test_a_turn_must_meet_all_conditions() -> None:
    assert FAILED_TURNS_OF_THE_USER.matches(TURN)
    assert not FAILED_TURNS_OF_THE_USER.matches(replace(TURN, status=Status.COMPLETED))
    assert not FAILED_TURNS_OF_THE_USER.matches(replace(TURN, user_id="u2"))


def test_no_status_matches_no_turn() -> None:
    assert not TurnFilter(statuses=frozenset()).matches(TURN)


def test_a_turn_without_a_user_is_not_one_of_a_user() -> None:
    assert not TurnFilter(user_id="u1").matches(replace(TURN, user_id=None))
