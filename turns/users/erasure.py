"""One erasure of a user: its receipt, and the tombstone that stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from turns.domain.ids import unescape_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """The progress of an erasure. `ended_at` is None until nothing is left.

    `usage_rows` is the number of daily sums that were given to no user. Instants are ms since the epoch.
    """

    tenant: str
    user_id: str
    requested_at: int
    ended_at: int | None
    sessions: int
    turns: int
    usage_rows: int

    @property
    def is_complete(self) -> bool:
        return self.ended_at is not None

    @classmethod
    def from_record(cls, user: str, record: Mapping[str, str]) -> Self:
        """Build the erasure of a user, named `<tenant>/<user>`, from its stored record."""
        tenant, _, escaped = user.partition("/")
        return cls(
            tenant=tenant,
            user_id=unescape_id(escaped),
            requested_at=int(record["requested_at"]),
            ended_at=int(record["ended_at"]) if "ended_at" in record else None,
            sessions=int(record.get("sessions", 0)),
            turns=int(record.get("turns", 0)),
            usage_rows=int(record.get("usage_rows", 0)),
        )
