from contextlib import ExitStack

import pytest

from turns.domain.ids import DEFAULT_TENANT
from web.streaming.fair_limit import FairLimit


def take_all(limit: FairLimit, tenant: str, stack: ExitStack) -> int:
    """Take all that is free for this tenant while it may, and return their number."""
    count = 0
    while limit.has_room(tenant):
        stack.enter_context(limit.hold(tenant))
        count += 1
    return count


def test_no_tenant_uses_the_whole_limit() -> None:
    limit = FairLimit(1000)
    with ExitStack() as stack:
        assert take_all(limit, "greedy", stack) == 800
        assert take_all(limit, "other", stack) > 100
        assert all(take_all(limit, f"late-{n}", stack) > 0 for n in range(3))


def test_what_ends_is_free_again() -> None:
    limit = FairLimit(5)
    for _ in range(3):
        with ExitStack() as stack:
            assert take_all(limit, "acme", stack) == 4


@pytest.mark.parametrize(("max_count", "tenant"), [(10, DEFAULT_TENANT), (1, "acme"), (0, "acme")])
def test_without_others_nothing_is_kept_free(max_count: int, tenant: str) -> None:
    with ExitStack() as stack:
        assert take_all(FairLimit(max_count), tenant, stack) == max_count
