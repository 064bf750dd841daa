"""A public method that the stores of a Redis Cluster inherit runs in the home partition, so each is listed here."""

import pytest

from turns.store.partitioned.sessions import PartitionedSessionStore
from turns.store.partitioned.turns import PartitionedTurnStore
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

HOME = {"register_worker", "find_vanished", "begin_takeover", "remove_vanished"}
GATHERED = {"read_health"}  # its client reads all partitions
COMPOSED = {"retry_failed", "emitted_text"}  # they call other methods only


def public(store: type) -> set[str]:
    return {name for name, value in vars(store).items() if callable(value) and not name.startswith("_")}


@pytest.mark.parametrize(
    ("plain", "partitioned", "inherited"),
    [
        (TurnStore, PartitionedTurnStore, HOME | GATHERED | COMPOSED),
        (SessionStore, PartitionedSessionStore, set()),
    ],
)
def test_each_method_is_routed_or_known_to_be_at_home(plain: type, partitioned: type, inherited: set[str]) -> None:
    assert public(plain) - public(partitioned) == inherited
