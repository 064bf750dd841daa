"""One client of all partitions, for readers that need no script: operators' queries, searches and metrics.

A command is sent to the partition of its key, or to all of them if each has a part of what it reads; then their replies
are merged. Scripts and what belongs to no session are at home. What is gathered is not a snapshot of all partitions.
"""

from collections.abc import Callable, Sequence
from typing import Any

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.client import PartitionClient
from turns.backend.partition.key_places import Place, place_of
from turns.backend.partition.merging import Range, merge_replies, parse_range
from turns.backend.partition.names import KEYLESS, SCRIPTS
from turns.backend.partition.placement import Partitions
from turns.backend.partition.tags import HOME
from turns.config.settings import Placement
from turns.domain.ids import is_turn_id

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
        self.declared_keys = home.declared_keys
        self.partition_number = HOME

    @property
    def partitions(self) -> Sequence[Client]:
        return self._clients

    def execute_command(self, *args: Any, **options: Any) -> Any:
        targets = self._targets(args)
        if len(targets) == 1:
            return targets[0].execute_command(*args, **options)
        if args[0] == "ZSCAN":
            return self._scan(args, options)
        if wanted := parse_range(args):
            entries = wanted.merge(target.execute_many([wanted.command])[0] for target in targets)
            return entries if wanted.has_scores else [member for member, _ in entries]
        return merge_replies(args, [target.execute_command(*args, **options) for target in targets])

    def execute_many(self, commands: Sequence[Sequence[str | int]], *, transaction: bool = False) -> list[Any]:
        """Send these commands in one round trip for each partition and return their replies."""
        ranges = [parse_range(command) if self._is_gathered(command) else None for command in commands]
        by_target: dict[PartitionClient, list[int]] = {}
        for number, command in enumerate(commands):
            for target in self._targets(command):
                by_target.setdefault(target, []).append(number)
        found: list[list[Any]] = [[] for _ in commands]
        for target in sorted(by_target, key=lambda one: one.partition_number or HOME):
            numbers = by_target[target]
            sent = [wanted.command if (wanted := ranges[number]) else commands[number] for number in numbers]
            for number, reply in zip(numbers, target.execute_many(sent, transaction=transaction), strict=True):
                found[number].append(reply)
        return [_merge(*parts) for parts in zip(commands, ranges, found, strict=True)]

    def read_hashes(self, names: Sequence[str], fields: Sequence[str]) -> list[dict[str, str]]:
        found: list[dict[str, str]] = [{} for _ in names]
        by_target: dict[PartitionClient, list[int]] = {}
        for number, name in enumerate(names):
            for target in self._targets(("HMGET", name)):
                by_target.setdefault(target, []).append(number)
        for target, numbers in by_target.items():
            records = target.read_hashes([names[number] for number in numbers], fields)
            for number, record in zip(numbers, records, strict=True):
                found[number] = found[number] or record
        return found

    def read_info(self, section: str) -> dict[str, Any]:
        """Return a section of INFO: of the node with the fullest memory, else of that of the home partition."""
        if section != "memory":
            return self._home.read_info(section)
        return max((one.read_info(section) for one in self._clients), key=_fullness)

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
            return (self._clients[Partitions(len(self._clients)).of_turn(member)],)
        if place is Place.OF_SESSION:
            return (self._clients[self._partitions().of_session(member)],)
        return self._clients if place is Place.EVERYWHERE and verb not in WRITES else (self._home,)

    def _is_gathered(self, command: Sequence[Any]) -> bool:
        return len(self._targets(command)) > 1

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
        following, found = self._clients[number].execute_command(verb, name, inner, *rest, **options)
        if following:
            return following * len(self._clients) + number, found
        return (number + 1) % len(self._clients), found


def _merge(command: Sequence[Any], wanted: Range | None, replies: Sequence[Any]) -> Any:
    if wanted is None:
        return replies[0] if len(replies) == 1 else merge_replies(command, replies)
    entries = wanted.merge(replies)
    return [[member, score] for member, score in entries] if wanted.has_scores else [member for member, _ in entries]


def _fullness(info: dict[str, Any]) -> float:
    limit = int(info.get("maxmemory", 0))
    return int(info.get("used_memory", 0)) / limit if limit else 0.0
