"""A cluster of one node whose store has one partition, for the tests that also run on a plain server.

A script that builds the name of a key outside of its slot fails there. `raw` takes the plain names, like the tests.
"""

from pathlib import Path
from typing import Any

import redis

from tests.support.cluster.nodes import ClusterNodes, Node
from turns.backend import keys
from turns.backend.partition.names import PartitionNames
from turns.backend.partition.tags import hash_tags

COUNT = 1
NAMES = PartitionNames(hash_tags(COUNT)[0])
KEYLESS = ("FLUSH", "CONFIG", "INFO", "TIME", "REPLICAOF", "DBSIZE", "BGSAVE", "CLIENT", "AUTH", "PING")
LISTED = ("KEYS", "SCAN", "PUBSUB CHANNELS")


class RenamingRedis(redis.Redis):
    """A client that renames the keys of commands, and of replies that list keys."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        verb, *rest = args
        if verb.startswith(KEYLESS):
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]
        if verb == "MSET":
            rest = [_stored(part) if number % 2 == 0 else part for number, part in enumerate(rest)]
            return super().execute_command(verb, *rest, **options)  # type: ignore[no-untyped-call]
        if verb in LISTED:
            reply = super().execute_command(*_with_pattern(verb, rest), **options)  # type: ignore[no-untyped-call]
            return (reply[0], [_plain(name) for name in reply[1]]) if verb == "SCAN" else [_plain(n) for n in reply]
        rest = (
            [_stored(part) for part in rest] if verb in {"DEL", "EXISTS", "UNLINK"} else [_stored(rest[0]), *rest[1:]]
        )
        return super().execute_command(verb, *rest, **options)  # type: ignore[no-untyped-call]


class PartitionServer(ClusterNodes):
    """`url` names the one partition, and `raw` is a client of it."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.url += f"?partitions={COUNT}"
        self.raw = RenamingRedis(port=self.node.port)

    @property
    def node(self) -> Node:
        return self.nodes[0]

    def stop(self) -> None:
        self.raw.close()
        super().stop()


def _with_pattern(verb: str, rest: list[Any]) -> list[Any]:
    if verb == "PUBSUB CHANNELS":
        return ["PUBSUB SHARDCHANNELS", *map(_stored, rest)]
    at = rest.index(b"MATCH") + 1 if verb == "SCAN" else 0
    return [verb, *rest[:at], _stored(rest[at]), *rest[at + 1 :]]


def _stored(name: str | bytes) -> str:
    text = name.decode() if isinstance(name, bytes) else name
    return NAMES.stored(text) if text.startswith(("inturn:", keys.HISTORY.name)) else NAMES.prefix + text


def _plain(stored: bytes) -> bytes:
    return NAMES.plain(stored.decode()).encode()
