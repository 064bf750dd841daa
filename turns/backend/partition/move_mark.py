"""The mark of a move in the record of the service, by which processes and the move know how far it is.

Both stores have one from the beginning of the move on. The source keeps it until the operator goes back, and the target
always.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from types import MappingProxyType
from typing import Self

from turns.backend import keys
from turns.backend.client import Client

FIELD = "move"
COMMAND = "python -m turns move --to rediscluster://…"


class Role(StrEnum):
    SOURCE = "source"
    TARGET = "target"


class State(StrEnum):
    COPYING = "copying"
    MOVED = "moved"


# Why no process may serve from a store with this mark; a target that is complete is served.
PROBLEMS: Mapping[tuple[Role, State], str] = MappingProxyType(
    {
        (Role.SOURCE, State.COPYING): "REDIS_URL: this store is being moved into a Redis Cluster. Complete that with "
        f"`{COMMAND}`, or give it up with `{COMMAND} --back`.",
        (Role.SOURCE, State.MOVED): "REDIS_URL: this store was moved into a Redis Cluster: use the URL of the cluster. "
        f"To use this store again: `{COMMAND} --back`.",
        (Role.TARGET, State.COPYING): "REDIS_URL: the move into this Redis Cluster is not complete. Run it again with "
        f"the URL of the old store: `{COMMAND}`.",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveMark:
    """`id` is the same in both stores. `paused`: the move has paused the intake of the source.

    `attempt` is in the target: the process of the move that fills it.
    """

    id: str
    role: Role
    state: State
    paused: bool = False
    attempt: str = ""

    @classmethod
    def from_text(cls, text: str) -> Self:
        record = json.loads(text)
        known = {f.name: record[f.name] for f in fields(cls) if f.name in record}
        return cls(**{**known, "role": Role(record["role"]), "state": State(record["state"])})

    @property
    def text(self) -> str:
        return json.dumps(asdict(self))

    @property
    def problem(self) -> str | None:
        return PROBLEMS.get((self.role, self.state))


def read_mark(client: Client) -> MoveMark | None:
    """Return the mark of a store. Raises `StoreUnavailable`."""
    [found] = client.read_hashes([keys.SERVICE.name], [FIELD])
    return MoveMark.from_text(found[FIELD]) if FIELD in found else None


def write_mark(client: Client, mark: MoveMark) -> None:
    client.execute_command("HSET", keys.SERVICE.name, FIELD, mark.text)
