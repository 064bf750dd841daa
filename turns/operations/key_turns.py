"""The live turns that were accepted with one API key."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

from turns.access.api_key import ApiKey
from turns.backend import keys
from turns.backend.client import Client
from turns.domain.ids import tenant_of

HEADS_PER_READ = 500  # so that each command takes milliseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """The number of turns that were cancelled; `has_more` if the limit was reached before the last one."""

    count: int
    has_more: bool


def cancel_turns_of_key(client: Client, cancel: Callable[[str], bool], key: ApiKey, *, limit: int) -> Cancellation:
    """Cancel the live turns that were accepted with this key, at most `limit`.

    `cancel` returns false for a turn that has ended meanwhile. Within a session the last one is cancelled first, so
    that the end of one starts no other. Raises `StoreUnavailable`.
    """
    count = 0
    for turn_id in _find_live_turns(client, key):
        if count >= limit:
            return Cancellation(count=count, has_more=True)
        count += cancel(turn_id)
    return Cancellation(count=count, has_more=False)


def _find_live_turns(client: Client, key: ApiKey) -> Iterator[str]:
    """Yield the live turns of the key, those of each session last first."""
    heads = cast(list[bytes], client.zrange(keys.DUE.name, 0, -1))  # bounded by the maximum number of live turns
    for first in range(0, len(heads), HEADS_PER_READ):
        names = [keys.TURN(head.decode()) for head in heads[first : first + HEADS_PER_READ]]
        found = client.execute_many([("HGET", name, "session") for name in names])
        sessions = [session.decode() for session in found if session and tenant_of(session.decode()) == key.tenant]
        queues = client.execute_many([("LRANGE", keys.QUEUE(session), 0, -1) for session in sessions])
        live = [turn.decode() for queue in queues for turn in reversed(queue)]
        key_ids = client.execute_many([("HGET", keys.TURN(turn_id), "key_id") for turn_id in live])
        yield from (turn_id for turn_id, key_id in zip(live, key_ids, strict=True) if key_id == key.id.encode())
