"""Durations in the sentences of the verdict."""

import pytest

from turns.operations.wording import format_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.047, "0.05 s"),
        (0.42, "0.4 s"),
        (3, "3 s"),
        (41.2, "41 s"),
        (424, "7 min 4 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_short_durations_are_not_rounded_to_zero(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
