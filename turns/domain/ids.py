"""Identifiers of turns, sessions and tenants: their format, and the values encoded in them."""

import re
import secrets

from uuid_utils import UUID, uuid7

TURN_ID = re.compile(r"turn_[0-9a-f]{32}")

# Session and user ids. They contain none of the separators of keys, paths, URLs or log lines.
NAME = re.compile(r"[A-Za-z0-9._~-]{1,128}")

NAME_RULE = "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or -"

TOKEN_BYTES = 16  # 128 random bits stay unique even if a failover has lost the tokens issued last


def new_turn_id() -> str:
    """Return a new id; ids sort by their time of creation (UUID version 7)."""
    return f"turn_{uuid7().hex}"


def is_turn_id(text: str) -> bool:
    return TURN_ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Return whether the text is valid as the id of a session or user.

    HTTP clients remove the path segments `.` and `..` from a URL; `-` means "no user" in composed names.
    """
    return NAME.fullmatch(text) is not None and text not in {".", "..", "-"}


def created_at(turn_id: str) -> int:
    """Return the time of creation in ms since the epoch; arbitrary if the id was made up by a caller."""
    return int(UUID(turn_id.removeprefix("turn_")).int >> 80)


def new_token() -> str:
    return secrets.token_hex(TOKEN_BYTES)


DEFAULT_TENANT = "-"  # the tenant of all requests while the service requires no API key


def session_key(session_id: str, user_id: str | None = None, tenant: str = DEFAULT_TENANT) -> str:
    """Return the name of a (tenant, user, session), under which its history is stored too.

    For the default tenant without a user it is the session's id alone, which an unmodified
    `RedisChatMessageHistory(session_id)` reads. Ids contain no slash, so no two sessions share a name.
    """
    if user_id is None and tenant == DEFAULT_TENANT:
        return session_id
    return f"{tenant}/{user_id or '-'}/{session_id}"


def tenant_of(session: str) -> str:
    """Return the tenant of a session key; `tenant_of.lua` implements the same rule."""
    tenant, slash, _ = session.partition("/")
    return tenant if slash else DEFAULT_TENANT
