import pytest

from turns.backend import keys
from turns.backend.partition.key_places import PLACES, Place, place_of
from turns.domain.ids import new_turn_id


def test_every_key_has_a_place() -> None:
    assert set(PLACES) == {key.name for key in keys.CATALOGUE}


@pytest.mark.parametrize(
    ("name", "place", "member"),
    [
        (keys.TURN("turn_1"), Place.OF_TURN, "turn_1"),
        (keys.TURNS("acme"), Place.EVERYWHERE, "acme"),
        (keys.SESSION_TURNS("acme/-/s"), Place.OF_SESSION, "acme/-/s"),
        (keys.HISTORY("s:1"), Place.OF_SESSION, "s:1"),
        (keys.DUE.name, Place.EVERYWHERE, ""),
        (keys.SERVICE.name, Place.EVERYWHERE, ""),
        (keys.API_KEYS.name, Place.HOME, ""),
        (keys.LIVE("*"), Place.EVERYWHERE, "*"),
        ("other", Place.HOME, ""),
        (f"inturn:turnip:{new_turn_id()}", Place.HOME, ""),
    ],
)
def test_the_place_is_that_of_the_longest_family(name: str, place: Place, member: str) -> None:
    assert place_of(name) == (place, member)
