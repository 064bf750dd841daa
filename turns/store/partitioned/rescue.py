"""Rescue in the partitions of a cluster; with many workers, each checks a part of the partitions in each round."""

import random
from collections.abc import Iterator, Sequence
from functools import partial

from turns.backend.client import Client
from turns.backend.partition.tags import HOME
from turns.backend.script_replies import Reply
from turns.store.health import list_live_workers
from turns.store.turns import TurnStore

# A check costs the store 70 to 100 µs. With 100 workers and 24 partitions, a check a second by each takes 0.25 cores.
MIN_CHECKS = 4  # of a partition by all workers together, in the time of one round
MAX_ROUNDS = 5  # until one worker has checked all partitions


class Rotation:
    """The partitions that a worker checks; the home partition in each round, where the check is also its heartbeat."""

    def __init__(self, partitions: int) -> None:
        self._partitions = partitions
        self._round = random.randrange(MAX_ROUNDS)  # workers that start together check different partitions

    def next_partitions(self, *, workers: int) -> Iterator[int]:
        """Yield the numbers of the partitions to check in the next round, with this many live workers."""
        self._round += 1
        rounds = max(1, min(workers // MIN_CHECKS, MAX_ROUNDS))
        for number in range(self._partitions):
            if number == HOME or number % rounds == self._round % rounds:
                yield number


class PartitionedRescue:
    """Only the home partition learns the slots of a worker.

    Turns of one partition cannot share the workers with those of others, so no model is kept from using all of them.
    """

    def __init__(self, client: Client, stores: Sequence[TurnStore]) -> None:
        """Take the stores of all partitions, the home partition first."""
        self._client = client
        self._stores = stores
        self._rotation = Rotation(len(stores))
        self._workers = 0

    def rescue(self, *, worker: str, hint: str, slots: int) -> list[tuple[str, Reply]]:
        """Rescue in the partitions of the next round that can be reached. Raises `StoreUnavailable` if all are away."""
        call = partial(self._rescue, worker=worker, hint=hint, slots=slots)
        numbers = self._rotation.next_partitions(workers=self._workers)
        rescued = self._client.gather({number: partial(call, number) for number in numbers})
        return [outcome for outcomes in rescued.values() for outcome in outcomes]

    def _rescue(self, number: int, *, worker: str, hint: str, slots: int) -> list[tuple[str, Reply]]:
        if number != HOME:
            return self._stores[number].rescue(worker=worker, hint=hint)
        rescued = self._stores[HOME].rescue(worker=worker, hint=hint, slots=slots)
        self._workers = len(list_live_workers(self._client))
        return rescued
