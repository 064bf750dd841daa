"""The partition of a session is a part of the names of its keys, so these examples can never change."""

from collections import Counter
from dataclasses import dataclass

import pytest

from turns.backend.partition.placement import Partitions, share_limits
from turns.config.settings import Placement, Settings
from turns.domain.ids import new_turn_id, session_key

BY_SESSION = Partitions(24)
BY_TENANT = Partitions(24, Placement.TENANT)


@dataclass
class Item:
    session: str


@pytest.mark.parametrize(
    ("session", "by_session", "by_tenant"),
    [("s", 19, 16), ("acme/-/s", 13, 14), ("acme/alice/s", 17, 14), ("-/alice/s", 9, 16)],
)
def test_the_partition_of_a_session_is_pinned(session: str, by_session: int, by_tenant: int) -> None:
    assert BY_SESSION.of_session(session) == by_session
    assert BY_TENANT.of_session(session) == by_tenant


def test_sessions_spread_over_all_partitions() -> None:
    sizes = Counter(BY_SESSION.of_session(session_key(f"s-{n}")) for n in range(24_000))
    assert set(sizes) == set(range(24))
    assert max(sizes.values()) < 1.25 * 1000


def test_all_sessions_of_a_tenant_can_be_in_one_partition() -> None:
    names = [session_key(f"s-{n}", user, "acme") for n in range(100) for user in (None, "alice")]
    assert {BY_TENANT.of_session(name) for name in names} == {BY_TENANT.of_tenant("acme")}
    assert BY_SESSION.of_tenant("acme") is None


def test_a_turn_is_in_the_partition_that_its_id_names() -> None:
    assert [BY_SESSION.of_turn(new_turn_id(partition=n)) for n in range(24)] == list(range(24))


def test_an_id_that_no_partition_has_made_is_looked_for_at_home() -> None:
    assert BY_SESSION.of_turn(new_turn_id()) == 0
    assert BY_SESSION.of_turn(new_turn_id(partition=24)) == 0


def test_items_are_grouped_by_partition_in_their_order() -> None:
    items = [Item("s"), Item("acme/-/s"), Item("s")]
    assert BY_SESSION.group(items) == {19: [items[0], items[2]], 13: [items[1]]}


def test_each_partition_has_a_share_of_the_limits() -> None:
    shared = share_limits(Settings(max_live_turns=10_000, batch_concurrency=1), 24)
    assert (shared.max_live_turns, shared.batch_concurrency) == (521, 1)
