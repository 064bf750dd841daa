"""One client of all partitions, for readers that need no script: operators' queries, searches and metrics.

A command is sent to the partition of its key, or to all of them if each has a part of what it reads; then their replies
are merged. Scripts and what belongs to no session are at home. What is gathered is not a snapshot of all partitions.
Those that are away are left out of it: `partitions_away` counts them, and `missing_partitions` names them.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from functools import partial
from typing import Any, TypeVar

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.client import PartitionClient
from turns.backend.partition.key_places import Place, place_of
from turns.backend.partition.merging import Range, merge_replies, parse_range
from turns.backend.partition.names import KEYLESS, SCRIPTS
from turns.backend.partition.placement import Partitions
from turns.backend.partition.reads import PartitionReads
from turns.backend.partition.tags import HOME
from turns.backend.partition.turn_finder import TurnFinder
from turns.config.settings import Placement
from turns.domain.ids import is_turn_id

T = TypeVar("T")
WRITES = frozenset({"HSET", "HSETNX", "HDEL", "SET", "ZADD", "LPUSH", "XADD", "RENAME", "EXPIRE"})


class GatheringClient(Client):
    """`partitions` are the clients of all partitions, the home partition first."""

    def __init__(self, partitions: Sequence[PartitionClient], close: Callable[[], None]) -> None:
        home = partitions[HOME]
        super().__init__(connection_pool=home.connection_pool)
        self._clients = partitions
        self._home = home
        self._close = close
        self._placement: Placement | None = None
        self._turns = TurnFinder(partitions)
        self._reads = PartitionReads()
        self.declared_keys = home.declared_keys
        self.partition_number = HOME

    @property
    def partitions(self) -> Sequence[Client]:
        return self._clients

    @property
    def partitions_away(self) -> int:
        return self._reads.count_away()

    def gather(self, calls: Mapping[int, Callable[[], T]]) -> dict[int, T]:
        return self._reads.read(calls)

    def find_partition(self, turn_id: str) -> int:
        return self._turns.find_partition(turn_id)

    def execute_command(self, *args: Any, **options: Any) -> Any:
        targets = self._targets(args)
        if len(targets) == 1:
            return targets[0].execute_command(*args, **options)
        if args[0] == "ZSCAN":
            return self._scan(args, options)
        if wanted := parse_range(args):
            found = self._ask({target: partial(target.execute_many, [wanted.command]) for target in targets})
            entries = wanted.merge(reply for [reply] in found.values())
            return entries if wanted.has_scores else [member for member, _ in entries]
        found = self._ask({target: partial(target.execute_command, *args, **options) for target in targets})
        return merge_replies(args, list(found.values()))

    def execute_many(self, commands: Sequence[Sequence[str | int]], *, transaction: bool = False) -> list[Any]:
        """Send these commands in one round trip for each partition and return their replies."""
        targets = [self._targets(command) for command in commands]
        ranges = [
            parse_range(command) if len(found) > 1 else None for command, found in zip(commands, targets, strict=True)
        ]
        by_target = _by_target(targets)
        sent = {
            target: [wanted.command if (wanted := ranges[number]) else commands[number] for number in numbers]
            for target, numbers in by_target.items()
        }
        replies = self._ask(
            {target: partial(target.execute_many, some, transaction=transaction) for target, some in sent.items()},
            required={found[0] for found in targets if len(found) == 1},
        )
        found = _by_number(by_target, replies)
        return [_merge(command, ranges[number], found[number]) for number, command in enumerate(commands)]

    def read_hashes(self, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
        targets = [self._targets(("HMGET", name)) for name in names]
        by_target = _by_target(targets)
        replies = self._ask(
            {
                target: partial(target.read_hashes, [names[number] for number in numbers], fields)
                for target, numbers in by_target.items()
            },
            required={found[0] for found in targets if len(found) == 1},
        )
        found = _by_number(by_target, replies)
        return [next(filter(None, found[number]), {}) for number in range(len(names))]

    def stored_name(self, name: str) -> str:
        return self._home.stored_name(name)

    def pipeline(self, *args: Any, **options: Any) -> Any:
        return self._home.pipeline(*args, **options)

    def on_one_connection(self) -> Any:
        return self._home.on_one_connection()

    def new_connection(self) -> Any:
        return self._home.new_connection()

    def close(self) -> None:
        self._close()

    def _targets(self, command: Sequence[Any]) -> Sequence[PartitionClient]:
        verb = command[0]
        if verb == "PUBSUB CHANNELS":
            return self._clients
        if verb in KEYLESS or verb in SCRIPTS or verb.startswith("PUBSUB"):
            return (self._home,)
        place, member = place_of(str(command[1]))
        if place is Place.OF_TURN and is_turn_id(member):
            return (self._clients[self.find_partition(member)],)
        if place is Place.OF_SESSION:
            return (self._clients[self._partitions().of_session(member)],)
        return self._clients if place is Place.EVERYWHERE and verb not in WRITES else (self._home,)

    def _ask(
        self, calls: Mapping[PartitionClient, Callable[[], T]], *, required: Set[PartitionClient] = frozenset()
    ) -> dict[PartitionClient, T]:
        """Return the reply of each partition, the home partition first, without those that are away.

        Raises `StoreUnavailable` if a required partition, the home partition or all are away.
        """
        found = self._reads.read(
            {one.number: call for one, call in calls.items()}, required={HOME, *(one.number for one in required)}
        )
        return {self._clients[number]: reply for number, reply in found.items()}

    def _partitions(self) -> Partitions:
        """Return the partitions with the placement that the first process has recorded at home."""
        if self._placement is None:
            [found] = self._home.read_hashes([keys.SERVICE.name], ["placement"])
            if not found:
                return Partitions(len(self._clients))
            self._placement = Placement(found["placement"])
        return Partitions(len(self._clients), self._placement)

    def _scan(self, args: Sequence[Any], options: Any) -> Any:
        """Scan one partition after another; the cursor has the number of the partition and its own cursor."""
        verb, name, cursor, *rest = args
        inner, number = divmod(int(cursor), len(self._clients))
        scan = partial(self._clients[number].execute_command, verb, name, inner, *rest, **options)
        following, found = self._reads.read({number: scan}, may_be_empty=True).get(number, (0, []))
        if following:
            return following * len(self._clients) + number, found
        return (number + 1) % len(self._clients), found


def _by_target(targets: Sequence[Sequence[PartitionClient]]) -> dict[PartitionClient, list[int]]:
    """Return for each partition the numbers of the commands that it gets."""
    numbers: dict[PartitionClient, list[int]] = {}
    for number, found in enumerate(targets):
        for target in found:
            numbers.setdefault(target, []).append(number)
    return numbers


def _by_number(
    by_target: Mapping[PartitionClient, Sequence[int]], replies: Mapping[PartitionClient, Sequence[T]]
) -> dict[int, list[T]]:
    """Return the replies to each command, that of the home partition first."""
    found: dict[int, list[T]] = {number: [] for numbers in by_target.values() for number in numbers}
    for target, some in replies.items():
        for number, reply in zip(by_target[target], some, strict=True):
            found[number].append(reply)
    return found


def _merge(command: Sequence[Any], wanted: Range | None, replies: Sequence[Any]) -> Any:
    if wanted is None:
        return replies[0] if len(replies) == 1 else merge_replies(command, replies)
    entries = wanted.merge(replies)
    return [[member, score] for member, score in entries] if wanted.has_scores else [member for member, _ in entries]
