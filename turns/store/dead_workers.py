"""The turns that a worker runs, found without an index, which would cost each turn two writes."""

from collections.abc import Iterator
from typing import cast

from turns.backend import keys
from turns.backend.client import Client

BATCH = 500  # turns that are read or rescued in one call, so that Redis blocks only for milliseconds


def find_running_turns(client: Client, worker: str) -> Iterator[list[str]]:
    """Yield the ids of the turns whose record names this worker, in batches. Raises `StoreUnavailable`."""
    heads = [turn.decode() for turn in cast(list[bytes], client.zrange(keys.DUE.name, 0, -1))]
    for start in range(0, len(heads), BATCH):
        members = heads[start : start + BATCH]
        workers = client.execute_many([("HGET", keys.TURN(turn_id), "worker") for turn_id in members])
        found = [turn_id for turn_id, name in zip(members, workers, strict=True) if name == worker.encode()]
        if found:
            yield found
