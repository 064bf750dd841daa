"""Erase users in steps, each of which may be repeated, so that another process can finish what one has begun."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.partition.missing import need_all_partitions
from turns.backend.script_replies import to_record
from turns.domain.errors import StoreUnavailable
from turns.domain.ids import DEFAULT_TENANT, new_token, user_key
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore
from turns.usage.store import UsageStore
from turns.users.erasure import Erasure

TOMBSTONE_SECONDS = 400 * 86_400  # longer than backups are kept
MAX_TOMBSTONES = 100_000  # 10 MB; the oldest ones make room
LEASE_SECONDS = 30  # after this time without a step, another process goes on
MAX_OPEN = 1000  # erasures that one process looks at
PAGE = 100  # sessions or turns of one step
CURRENT = "current"  # the session that is being erased, with its number of turns


class UserErasures:
    """Every method raises `StoreUnavailable`."""

    def __init__(
        self,
        client: Client,
        sessions: SessionStore,
        turns: TurnStore,
        usage: UsageStore,
        *,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._client = client
        self._sessions = sessions
        self._turns = turns
        self._usage = usage
        self._now_ms = now_ms

    def erase(self, user_id: str, *, tenant: str = DEFAULT_TENANT, seconds: float) -> Erasure:
        """Erase the user's sessions, turns and results, and its name in the sums of usage; return the receipt.

        After `seconds` the receipt is not complete: a later call, or another process, goes on. Repeating the call for a
        user that has nothing returns the last receipt.
        """
        user = user_key(user_id, tenant)
        erasure = self._find(user)
        if erasure and erasure.is_complete and not self._has_any(user_id, tenant):
            return erasure
        if erasure is None or erasure.is_complete:
            self._begin(user)
        return self.advance(user, seconds=seconds)

    def advance(self, user: str, *, seconds: float) -> Erasure:
        """Go on with the erasure of `<tenant>/<user>` unless another process does, and return the receipt."""
        lease, token = keys.ERASING(user), new_token()
        if not self._client.set(lease, token, nx=True, ex=LEASE_SECONDS):
            return self._known(user)
        try:
            self._advance(user, self._known(user), deadline=time.monotonic() + seconds)
        finally:
            if self._client.get(lease) == token.encode():  # not that of a process which went on after a long step
                self._client.delete(lease)
        return self._known(user)

    def list_open(self) -> list[str]:
        """Return the users, as `<tenant>/<user>`, whose erasures are not complete."""
        return [user.decode() for user in cast(list[bytes], self._client.zrange(keys.ERASURES.name, 0, MAX_OPEN - 1))]

    def list_tombstones(self) -> Iterator[Erasure]:
        """Yield all erasures of the last 400 days, oldest first."""
        for user in cast(list[bytes], self._client.zrange(keys.ERASED_USERS.name, 0, -1)):
            if erasure := self._find(user.decode()):
                yield erasure

    def _begin(self, user: str) -> None:
        """Store the request before anything is erased; its record stays as the tombstone."""
        now, record = self._now_ms(), keys.ERASED_USER(user)
        self._client.execute_many(
            [
                ("DEL", record),
                ("HSET", record, "requested_at", now),
                ("EXPIRE", record, TOMBSTONE_SECONDS),
                ("ZADD", keys.ERASED_USERS.name, now, user),
                ("ZREMRANGEBYSCORE", keys.ERASED_USERS.name, "-inf", now - TOMBSTONE_SECONDS * 1000),
                ("ZREMRANGEBYRANK", keys.ERASED_USERS.name, 0, -MAX_TOMBSTONES - 1),
                ("ZADD", keys.ERASURES.name, now, user),
            ],
            transaction=True,
        )

    def _advance(self, user: str, erasure: Erasure, *, deadline: float) -> None:
        record = keys.ERASED_USER(user)
        if current := cast(bytes | None, self._client.hget(record, CURRENT)):  # its process has died
            session, _, count = current.decode().rpartition("|")
            self._erase_session(user, session, turns=int(count))
        for session in self._sessions_of(erasure.user_id, erasure.tenant):
            turns = self._sessions.count_turns(session)
            self._client.hset(record, CURRENT, f"{session}|{turns}")
            self._erase_session(user, session, turns=turns)
            if time.monotonic() >= deadline:
                return
        rows = self._usage.forget_user(erasure.user_id, tenant=erasure.tenant)
        self._client.execute_many(
            [
                ("HINCRBY", record, "usage_rows", rows),
                ("HSET", record, "ended_at", self._now_ms()),
                ("ZREM", keys.ERASURES.name, user),
            ],
            transaction=True,
        )

    def _sessions_of(self, user_id: str, tenant: str) -> Iterator[str]:
        """Yield the user's sessions, each of which must be erased before the next one is asked for.

        Turns of sessions that are in no list, because an earlier release has stored them, name theirs.
        """
        while names := self._list_names(user_id, tenant):
            yield from names
        while names := self._list_sessions_of_turns(user_id, tenant):
            yield from names

    def _list_names(self, user_id: str, tenant: str) -> Sequence[str]:
        with need_all_partitions():  # else an erasure would be complete without those that are away
            return self._sessions.list_user_names(user_id, tenant=tenant, limit=PAGE)

    def _list_sessions_of_turns(self, user_id: str, tenant: str) -> Sequence[str]:
        with need_all_partitions():
            turns = self._turns.list_turns(tenant=tenant, user_id=user_id, limit=PAGE).turns
        return list(dict.fromkeys(turn.session for turn in turns))

    def _erase_session(self, user: str, session: str, *, turns: int) -> None:
        """Erase the present session and count it, in a record that names it until then: so it counts once."""
        self._sessions.erase(session)
        record = keys.ERASED_USER(user)
        self._client.execute_many(
            [
                ("HINCRBY", record, "sessions", 1),
                ("HINCRBY", record, "turns", turns),
                ("HDEL", record, CURRENT),
                ("EXPIRE", keys.ERASING(user), LEASE_SECONDS),
            ],
            transaction=True,
        )

    def _has_any(self, user_id: str, tenant: str) -> bool:
        has_session = next(self._sessions_of(user_id, tenant), None) is not None
        return has_session or self._usage.has_user(user_id, tenant=tenant)

    def _find(self, user: str) -> Erasure | None:
        record = to_record(cast(dict[bytes, bytes], self._client.hgetall(keys.ERASED_USER(user))))
        return Erasure.from_record(user, record) if "requested_at" in record else None

    def _known(self, user: str) -> Erasure:
        erasure = self._find(user)
        if erasure is None:
            raise StoreUnavailable("the store has lost the record of an erasure")
        return erasure
