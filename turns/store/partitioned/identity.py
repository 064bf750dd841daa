"""An id in each partition, by which a partition is noticed that has lost its data, as after FLUSHALL on one node."""

from collections.abc import Sequence
from functools import partial

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.tags import HOME
from turns.backend.script_replies import StoreIdentity
from turns.domain.errors import StoreUnavailable

FIELDS = ("store_id", "store_id_since")


def identify_partitions(client: Client, home: StoreIdentity, *, proposed_id: str) -> dict[int, StoreIdentity]:
    """Return the identity of each partition that answers, with that of the home partition.

    A partition without an id takes the proposed one, unless it refuses writes: then it is left out.
    """
    others = {number: partial(_identify, one, proposed_id) for number, one in enumerate(client.partitions) if number}
    try:
        found = client.gather(others)
    except StoreUnavailable:  # all of them are away
        found = {}
    return {HOME: home, **{number: one for number, one in found.items() if one}}


def _identify(partition: Client, proposed_id: str) -> StoreIdentity | None:
    [found] = partition.read_hashes([keys.SERVICE.name], FIELDS)
    if "store_id" not in found:
        seconds, microseconds = partition.time()
        now = seconds * 1000 + microseconds // 1000
        commands: list[Sequence[str | int]] = [
            ("HSETNX", keys.SERVICE.name, "store_id", proposed_id),
            ("HSETNX", keys.SERVICE.name, "store_id_since", now),
        ]
        try:
            partition.execute_many(commands, transaction=True)
        except StoreUnavailable as error:
            if not error.refused:
                raise
            return None
        [found] = partition.read_hashes([keys.SERVICE.name], FIELDS)
    return StoreIdentity(id=found["store_id"], since=int(found.get("store_id_since", 0)), needs_keys=False)
