from contextlib import ExitStack

import pytest

from turns.domain.ids import DEFAULT_TENANT
from web.streaming.places import Places


def take_all(places: Places, tenant: str, stack: ExitStack) -> int:
    """Take places for this tenant while it may, and return their number."""
    count = 0
    while places.has_room(tenant):
        stack.enter_context(places.take(tenant))
        count += 1
    return count


def test_no_tenant_takes_the_places_of_others() -> None:
    places = Places(1000)
    with ExitStack() as stack:
        assert take_all(places, "greedy", stack) == 800
        assert take_all(places, "other", stack) > 100
        assert all(take_all(places, f"late-{n}", stack) > 0 for n in range(3))


def test_places_are_given_back() -> None:
    places = Places(5)
    for _ in range(3):
        with ExitStack() as stack:
            assert take_all(places, "acme", stack) == 4


@pytest.mark.parametrize(("max_places", "tenant"), [(10, DEFAULT_TENANT), (1, "acme"), (0, "acme")])
def test_the_only_tenant_and_the_only_place_are_not_shared(max_places: int, tenant: str) -> None:
    with ExitStack() as stack:
        assert take_all(Places(max_places), tenant, stack) == max_places
