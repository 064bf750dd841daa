"""The names of keys and channels in a partition, from their names in a store without partitions.

`inturn:turn:<id>` is `inturn:{07-12}:turn:<id>`, and `message_store:<session>` is
`inturn:{07-12}:message_store:<session>`, each after the namespace.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Any

from turns.backend import keys

FAMILY = f"{keys.PREFIX}inturn:"

# The positions of keys: none, all, or in a script those that it declares. Other commands have one key at position 1.
KEYLESS = frozenset({"PING", "TIME", "INFO", "CONFIG GET", "WAIT", "SHUTDOWN", "CLUSTER"})
ALL_KEYS = frozenset({"UNLINK", "DEL", "EXISTS", "RENAME"})
SCRIPTS = frozenset({"EVAL", "EVALSHA"})
SHARDED = MappingProxyType({"PUBSUB CHANNELS": "PUBSUB SHARDCHANNELS", "PUBSUB NUMSUB": "PUBSUB SHARDNUMSUB"})


class PartitionNames:
    """`prefix` begins all names of the partition. `declared` are two names that a script declares and no key has.

    A key that does not exist can be at no node but that of its slot. While the slot is migrated, a call that declares
    two such keys is refused by both nodes; a call that declares one or none would run on a part of the data.
    """

    def __init__(self, tag: str) -> None:
        self.prefix = f"{FAMILY}{{{tag}}}:"
        self.declared = (self.prefix, f"{self.prefix}-")

    def stored(self, name: str) -> str:
        """Return the name in this partition. Raises ValueError for a name that `keys.py` does not have."""
        return self.prefix + local_name(name)

    def plain(self, stored: str) -> str:
        """Return the name without partitions of a name in this partition."""
        local = stored.removeprefix(self.prefix)
        return keys.PREFIX + local if local.startswith("message_store:") else FAMILY + local

    def rename(self, command: Sequence[Any]) -> list[Any]:
        """Return the command with the names of this partition; its other arguments stay as they are."""
        verb, *arguments = command
        if verb in KEYLESS:
            return [*command]
        if verb in SCRIPTS:
            return self._check_script(command)
        if verb == "SCAN":
            return [verb, *self._rename_pattern(arguments)]
        if verb in SHARDED:
            return [SHARDED[verb], *map(self.stored, arguments)]
        if verb in ALL_KEYS:
            return [verb, *map(self.stored, arguments)]
        return [verb, self.stored(arguments[0]), *arguments[1:]]

    def _check_script(self, command: Sequence[Any]) -> list[Any]:
        if tuple(command[3 : 3 + command[2]]) != self.declared:
            raise ValueError("a script in a partition must declare the two keys of the partition")
        return [*command]

    def _rename_pattern(self, arguments: Sequence[Any]) -> list[Any]:
        at = arguments.index(b"MATCH") + 1  # as redis-py writes it
        return [*arguments[:at], self.stored(arguments[at]), *arguments[at + 1 :]]


def local_name(name: str) -> str:
    """Return the name after the prefix of a partition. Raises ValueError for a name that no key has."""
    if name.startswith(FAMILY):
        return name.removeprefix(FAMILY)
    if name.startswith(keys.HISTORY.name):
        return name.removeprefix(keys.PREFIX)
    raise ValueError(f"{name.partition(':')[0]!r} does not begin the name of a key")
