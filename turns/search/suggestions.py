"""Names that contain a text which names nothing itself."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Self

from turns.backend.client import Client
from turns.domain.ids import DEFAULT_TENANT, tenant_of, unescape_id
from turns.search.indexes import Scan, find_by_part_of_id

MAX_PER_KIND = 10
PART_OF_TURN_ID = re.compile(r"(?:turn_)?([0-9a-f]{8,31})")  # such as the end of an id, which a page or a log shows


class Kind(StrEnum):
    """Kinds of things that a text can name."""

    TURN = "turn"
    SESSION = "session"
    USER = "user"
    TENANT = "tenant"
    REQUEST = "request"
    TRACE = "trace"
    IDEMPOTENCY_KEY = "idempotency_key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something whose name contains the text; `user_id` is that of a session."""

    kind: Kind
    id: str
    tenant: str | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionName:
    """The parts of the name under which a session is stored, which `session_key` composes."""

    name: str
    tenant: str
    user_id: str | None
    session_id: str

    @classmethod
    def parse(cls, name: str) -> Self:
        *owner, session = name.split("/")
        user = owner[1] if owner else "-"
        user_id = None if user == "-" else unescape_id(user)
        return cls(name=name, tenant=tenant_of(name), user_id=user_id, session_id=unescape_id(session))


def find_turns_by_part(client: Client, tenants: Sequence[str], text: str) -> Scan:
    """Return the ids of turns that contain the text, if it can be a part of one."""
    part = PART_OF_TURN_ID.fullmatch(text)
    return find_by_part_of_id(client, tenants, part[1]) if part else Scan()


def suggest(
    text: str, sessions: Sequence[SessionName], tenants: Sequence[str], turn_ids: Sequence[str]
) -> tuple[Suggestion, ...]:
    """Return some of the names: users first, because each stands for many sessions."""
    users = dict.fromkeys((name.tenant, name.user_id) for name in sessions if name.user_id and text in name.user_id)
    return (
        *(
            Suggestion(kind=Kind.USER, id=user_id, tenant=tenant)
            for tenant, user_id in islice(users, MAX_PER_KIND)
            if user_id is not None
        ),
        *islice(
            (
                Suggestion(kind=Kind.SESSION, id=name.session_id, tenant=name.tenant, user_id=name.user_id)
                for name in sessions
                if text in name.session_id
            ),
            MAX_PER_KIND,
        ),
        *(
            Suggestion(kind=Kind.TENANT, id=tenant, tenant=tenant)
            for tenant in tenants
            if text in tenant and tenant != DEFAULT_TENANT
        ),
        *(Suggestion(kind=Kind.TURN, id=turn_id) for turn_id in turn_ids[:MAX_PER_KIND]),
    )
