"""The words for ages, periods and owners."""

import pytest

from turns.search.wording import name_age, name_owner, name_period


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (40, "40 s"), (3600, "1 h"), (5400, "1 h 30 min"), (86_400, "24 h"), (172_800, "2 days")],
)
def test_a_period_is_named_in_the_longest_unit(seconds: float, words: str) -> None:
    assert name_period(seconds) == words


def test_an_age_is_never_negative() -> None:
    assert name_age(-5) == "0 s"
    assert name_age(1999) == "1 s"


def test_the_default_tenant_is_not_named() -> None:
    assert name_owner("-") == ""
    assert name_owner("-", "u1") == " of user u1"
    assert name_owner("acme", "u1") == " of user u1, tenant acme"
