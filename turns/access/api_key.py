"""One API key: what it allows, and what is known of it. Its secret is not among that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Self

from turns.domain.open_enum import member_or_text

API_KEY = re.compile(r"inturn_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
KEY_ID = re.compile(r"[0-9a-f]{12}")
MAX_LABEL_CHARACTERS = 100
LABEL_RULE = f"must be at most {MAX_LABEL_CHARACTERS} printable characters"
RECORDED = (  # fields of the record besides the scopes
    *("tenant", "created_at", "expires_at", "label", "created_by", "replaces", "replaced_by"),
    *("revoked_at", "revoked_by"),
)


class Scope(StrEnum):
    TURNS = "turns"  # read and change the turns and sessions of the tenant
    READ = "read"  # read the turns and sessions of the tenant
    OPERATOR = "operator"  # operate the service, including the turns of all tenants
    OBSERVER = "observer"  # read the same as an operator, except message text
    ADMIN = "admin"  # create, rotate and revoke the keys of all tenants, and read the same as an observer


class KeyState(StrEnum):
    ACTIVE = "active"
    EXPIRED = "expired"
    REVOKED = "revoked"


def is_label(text: str) -> bool:
    """Return whether the text can be a label, which lists of keys print."""
    return len(text) <= MAX_LABEL_CHARACTERS and (not text or text.isprintable())


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The record of a key; times in ms, `expires_at` None if it does not expire.

    `created_by`, `revoked_by`, `replaces` and `replaced_by` are ids of keys, None for a command on the service's
    machine. A scope that only a newer release knows allows nothing here.
    """

    id: str
    tenant: str
    scopes: frozenset[Scope | str]
    created_at: int
    expires_at: int | None
    state: KeyState = KeyState.ACTIVE
    label: str = ""
    created_by: str | None = None
    replaces: str | None = None
    replaced_by: str | None = None
    revoked_at: int | None = None
    revoked_by: str | None = None
    last_used_at: int | None = None

    @property
    def is_active(self) -> bool:
        return self.state is KeyState.ACTIVE

    @classmethod
    def from_record(
        cls,
        key_id: str,
        record: Mapping[str, str],
        *,
        state: KeyState = KeyState.ACTIVE,
        last_used_at: int | None = None,
    ) -> Self:
        def instant(name: str) -> int | None:
            return int(record[name]) if record.get(name) else None

        return cls(
            id=key_id,
            tenant=record["tenant"],
            scopes=frozenset(member_or_text(Scope, name) for name in record["scopes"].split()),
            created_at=int(record["created_at"]),
            expires_at=instant("expires_at"),
            state=state,
            label=record.get("label", ""),
            created_by=record.get("created_by"),
            replaces=record.get("replaces"),
            replaced_by=record.get("replaced_by"),
            revoked_at=instant("revoked_at"),
            revoked_by=record.get("revoked_by"),
            last_used_at=last_used_at,
        )

    @property
    def details(self) -> dict[str, str]:
        """Return the fields for the audit log of a new key."""
        expiry = {"expires_at": _to_minute(self.expires_at)} if self.expires_at else {}
        label = {"label": self.label} if self.label else {}
        return {"scopes": " ".join(sorted(self.scopes)), **label, **expiry}

    def to_record(self) -> dict[str, str]:
        """Return the fields of the record that have a value."""
        names = ("tenant", "created_at", "expires_at", "label", "created_by", "replaces", "replaced_by")
        values = {name: getattr(self, name) for name in (*names, "revoked_at", "revoked_by")}
        return {
            "scopes": " ".join(sorted(self.scopes)),
            **{name: str(value) for name, value in values.items() if value},
        }


def _to_minute(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).isoformat(timespec="minutes")
