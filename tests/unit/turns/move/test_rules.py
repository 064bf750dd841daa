"""Each declared key has a rule for the move into a cluster, and it agrees with where readers look for the key."""

import pytest

from turns.backend import keys
from turns.backend.keys import CATALOGUE, Key
from turns.backend.partition.key_places import PLACES, Place
from turns.move.rules import RULES, Built, By, Left, Split, Whole, declaration_of

PLACES_OF = {By.TURN: Place.OF_TURN, By.SESSION: Place.OF_SESSION, By.HOME: Place.HOME}
# What is at home after a move, although each partition writes its own part later: readers add the parts up.
ADDED_UP = {keys.METRICS, keys.COUNTER_SNAPSHOTS, keys.USAGE_ENTRIES, keys.USAGE, keys.USER_USAGE}
FALLBACK = {keys.DELETED, keys.IDEMPOTENCY}  # no reader asks for them by their name alone


def test_each_declared_key_has_a_rule() -> None:
    assert set(RULES) == set(CATALOGUE)


def test_what_is_not_moved_has_a_reason() -> None:
    assert all(rule.reason for rule in RULES.values() if isinstance(rule, Left))


@pytest.mark.parametrize("key", [key for key in CATALOGUE if key not in ADDED_UP | FALLBACK], ids=lambda key: key.name)
def test_a_key_is_moved_to_where_readers_look_for_it(key: Key) -> None:
    rule = RULES[key]
    if isinstance(rule, Whole):
        assert PLACES[key.name] is PLACES_OF.get(rule.by, Place.EVERYWHERE)
    elif isinstance(rule, Split):
        assert PLACES[key.name] is Place.EVERYWHERE
    else:
        assert isinstance(rule, Built | Left)


@pytest.mark.parametrize(
    ("name", "declaration", "member"),
    [
        (keys.TURN("turn_1"), keys.TURN, "turn_1"),
        (keys.SESSION_TURNS("acme/-/s"), keys.SESSION_TURNS, "acme/-/s"),
        (keys.HISTORY("s:1"), keys.HISTORY, "s:1"),
        (keys.DUE.name, keys.DUE, ""),
    ],
)
def test_a_name_leads_to_its_declaration(name: str, declaration: Key, member: str) -> None:
    assert declaration_of(name) == (declaration, member)


@pytest.mark.parametrize("name", ["inturn:unknown", "inturn:turnip:1", "inturn:turn", "inturn:due:1"])
def test_an_unknown_name_has_no_declaration(name: str) -> None:
    assert declaration_of(name) is None
