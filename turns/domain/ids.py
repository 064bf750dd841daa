"""Identifiers of turns, sessions and tenants: how they look, and what is encoded in them."""

import re
import secrets

from uuid_utils import UUID, uuid7

TURN_ID = re.compile(r"turn_[0-9a-f]{32}")

# Session and user ids, whole string matched: no separator of ours, of Redis, of paths or of log lines is in it.
NAME = re.compile(r"[A-Za-z0-9._~-]{1,128}")

NAME_RULE = "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or -"

TOKEN_BYTES = 16  # 128 bits cannot collide, also after a failover that made the store forget


def new_turn_id() -> str:
    """Sorts by the time at which it was made (UUID version 7)."""
    return f"turn_{uuid7().hex}"


def is_turn_id(text: str) -> bool:
    return TURN_ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Whether it can be a session's or user's id. The two names of directories would not survive in a URL;
    a dash stands for nobody in names made of several."""
    return NAME.fullmatch(text) is not None and text not in {".", "..", "-"}


def made_at(turn_id: str) -> int:
    """The time (ms) at which the id was made; of an id that somebody invented, any time."""
    return int(UUID(turn_id.removeprefix("turn_")).int >> 80)


def new_token() -> str:
    return secrets.token_hex(TOKEN_BYTES)


DEFAULT_TENANT = "-"  # who is served where nobody is asked for a key


def session_key(session_id: str, user_id: str | None = None, tenant: str = DEFAULT_TENANT) -> str:
    """One name for (tenant, user, session); also the name under which its history is stored.

    A session of the default tenant without a user is its id alone, which is what a stock
    `RedisChatMessageHistory(session_id)` reads. No id contains a slash, so no two sessions share a name.
    """
    if user_id is None and tenant == DEFAULT_TENANT:
        return session_id
    return f"{tenant}/{user_id or '-'}/{session_id}"


def tenant_of(session: str) -> str:
    """Whose session it is. `session.lua` has the same."""
    tenant, slash, _ = session.partition("/")
    return tenant if slash else DEFAULT_TENANT
