"""The models that get no turns at present: their providers asked for a pause, or they do not answer."""

from dataclasses import dataclass
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import to_record
from turns.domain.open_enum import member_or_text
from turns.domain.run.retry import HoldReason


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelHold:
    """A hold of a model; `name` is the model, after the digest of the assistant's own provider if it has one.

    After `until`, one turn tries the model; `is_reopening`: it has an answer, and the waiting turns are being admitted.
    """

    name: str
    reason: HoldReason | str
    code: str
    since: int
    until: int
    is_reopening: bool
    held_turns: int
    oldest_held_at: int | None

    @property
    def model(self) -> str:
        return model_of(self.name)


def model_of(name: str) -> str:
    """Return the model of a hold. A model's own name may contain slashes; the digest of a provider has 8 hex digits."""
    provider, _, model = name.partition("/")
    return model if model and len(provider) == 8 and set(provider) <= set("0123456789abcdef") else name


def read_holds(client: Client) -> list[ModelHold]:
    """Return the holds, oldest first. Raises `StoreUnavailable`."""
    names = [name.decode() for name in cast(list[bytes], client.zrange(keys.HOLDS.name, 0, -1))]
    found = [hold for name in names if (hold := read_hold(client, name))]
    return sorted(found, key=lambda hold: hold.since)


def read_hold(client: Client, name: str) -> ModelHold | None:
    """Return the hold with this name, or None. Raises `StoreUnavailable`."""
    fields = to_record(cast(dict[bytes, bytes], client.hgetall(keys.HOLD(name))))
    if not fields:
        return None
    oldest = cast(list[tuple[bytes, float]], client.zrange(keys.HELD(name), 0, 0, withscores=True))
    return ModelHold(
        name=name,
        reason=member_or_text(HoldReason, fields["reason"]),
        code=fields["code"],
        since=int(fields["since"]),
        until=int(fields["until"]),
        is_reopening="answered_at" in fields,
        held_turns=client.zcard(keys.HELD(name)),
        oldest_held_at=int(oldest[0][1]) if oldest else None,
    )
