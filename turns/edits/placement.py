"""The partition of a session and of its forks: in a Redis Cluster a fork is in the partition of its session.

A script can copy messages only there. Elsewhere there is one partition.
"""

import hashlib
import secrets
from itertools import count

from turns.backend.client import Client
from turns.backend.partition.placement import Partitions, share_limits
from turns.config.settings import Settings
from turns.domain.errors import InvalidRequest
from turns.domain.ids import session_key
from turns.edits.scripts import EditScripts


class ForkPlacement:
    def __init__(self, client: Client, settings: Settings) -> None:
        self._client = client
        self._partitions = Partitions.of(settings) if settings.partitions else None
        shared = share_limits(settings, self._partitions.count) if self._partitions else settings
        self._scripts = [EditScripts(one, shared) for one in client.partitions]

    def scripts_of(self, session: str) -> EditScripts:
        """Return the scripts of the partition of a session."""
        return self._scripts[self._number_of(session)]

    def scripts_of_turn(self, turn_id: str) -> EditScripts:
        """Return the scripts of the partition of a turn."""
        return self._scripts[self._client.find_partition(turn_id)]

    def new_session_id(self, source: str, user_id: str | None, tenant: str, *, seed: str | None = None) -> str:
        """Return an id for a fork of this session; the same one for the same seed."""
        seed = seed or secrets.token_hex(16)
        digests = (hashlib.sha256(f"{source}\n{seed}\n{n}".encode()).hexdigest() for n in count())
        ids = (f"fork-{digest[:32]}" for digest in digests)
        return next(new for new in ids if self._is_beside(source, session_key(new, user_id, tenant)))

    def check(self, source: str, fork: str) -> None:
        """Raise `InvalidRequest` unless a session can be a fork of this one."""
        if not self._is_beside(source, fork):
            raise InvalidRequest("session_id", "must be left out in a Redis Cluster: this id belongs to another node")

    def _is_beside(self, source: str, fork: str) -> bool:
        return self._number_of(source) == self._number_of(fork)

    def _number_of(self, session: str) -> int:
        return self._partitions.of_session(session) if self._partitions else 0
