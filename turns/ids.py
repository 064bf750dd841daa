"""Ids: what they look like, and what can be told from them."""

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
