"""Identifiers of turns, sessions and tenants: their format, and the values encoded in them."""

import re
import secrets
import zlib
from functools import lru_cache
from urllib.parse import quote, unquote

from uuid_utils import UUID, uuid7

TURN_ID = re.compile(r"turn_[0-9a-f]{32}")

# Names of tenants and assistants. They contain none of the separators of keys, paths, URLs or log lines.
NAME = re.compile(r"[A-Za-z0-9._~-]{1,128}")

NAME_RULE = "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -, and not . or .. or -"

# Ids of sessions and users are the caller's, for example from an identity provider.
MAX_ID_CHARACTERS = 255
MAX_ID_BYTES = 512  # two ids, escaped twice in the cursor of a list, fit into the 8 KiB that a URL can have
PLAIN_ID = re.compile(rf"[A-Za-z0-9._~-]{{1,{MAX_ID_CHARACTERS}}}")  # stored as it is

ID_RULE = (
    f"must be 1 to {MAX_ID_CHARACTERS} printable characters without spaces, at most {MAX_ID_BYTES} bytes of UTF-8, "
    "and not . or .."
)

ESCAPED_IDS = 1024  # an id is escaped several times in one request

TOKEN_BYTES = 16  # 128 random bits stay unique even if a failover has lost the tokens issued last


FINGERPRINT_DIGITS = 8  # the last digits of a turn id; those before them are unique without it

# In a store with partitions an id is a UUID of version 8: the time as in version 7, the version, the partition, and the
# variant with the low 30 bits of the counter of version 7.
PARTITIONED_VERSION = "8"
VERSION_AT = len("turn_") + 12  # after the 48 bits of the time
PARTITION_DIGITS = 3


def new_turn_id(request_id: str | None = None, *, partition: int | None = None) -> str:
    """Return a new id; ids sort by their time of creation (UUID version 7, with a partition 8).

    The id ends in a fingerprint of the HTTP request, so that its turns are found among all ids without an index.
    """
    random_id = uuid7().hex
    if partition is not None:
        random_id = f"{random_id[:12]}{PARTITIONED_VERSION}{partition:0{PARTITION_DIGITS}x}{random_id[16:]}"
    return (
        f"turn_{random_id[:-FINGERPRINT_DIGITS]}{request_fingerprint(request_id)}"
        if request_id
        else f"turn_{random_id}"
    )


def partition_of(turn_id: str) -> int | None:
    """Return the partition that a valid turn id names; None if it was made in a store without partitions."""
    if turn_id[VERSION_AT] != PARTITIONED_VERSION:
        return None
    return int(turn_id[VERSION_AT + 1 : VERSION_AT + 1 + PARTITION_DIGITS], 16)


def request_fingerprint(request_id: str) -> str:
    """Return the digits with which the ids of the turns end that this request created, and of very few others."""
    return f"{zlib.crc32(request_id.encode()):0{FINGERPRINT_DIGITS}x}"


def is_turn_id(text: str) -> bool:
    return TURN_ID.fullmatch(text) is not None


def is_name(text: str) -> bool:
    """Return whether the text is valid as the name of a tenant or assistant.

    HTTP clients remove the path segments `.` and `..` from a URL; `-` means "no user" in composed names.
    """
    return NAME.fullmatch(text) is not None and text not in {".", "..", "-"}


def is_id(text: str) -> bool:
    """Return whether the text is valid as the id of a session or user.

    Printable is what Unicode defines: no control, format, surrogate, private or unassigned characters. U+FFFD stands
    for bytes that were not UTF-8, so different ids would become one.
    """
    if PLAIN_ID.fullmatch(text):
        return text not in {".", ".."}
    if not 1 <= len(text) <= MAX_ID_CHARACTERS or not text.isprintable():
        return False
    return len(text.encode()) <= MAX_ID_BYTES and " " not in text and "\ufffd" not in text


@lru_cache(maxsize=ESCAPED_IDS)
def escape_id(text: str) -> str:
    """Return the id with all characters but A-Z a-z 0-9 . _ ~ - as percent-encoded UTF-8.

    A plain id stays as it is, except `-`, which means "no user". The result is safe in keys, patterns and file names.
    """
    return "%2D" if text == "-" else quote(text, safe="")


def unescape_id(text: str) -> str:
    """Return the id that `escape_id` has escaped."""
    return unquote(text)


def created_at(turn_id: str) -> int:
    """Return the time of creation in ms since the epoch; arbitrary if the id was made up by a caller."""
    return int(UUID(turn_id.removeprefix("turn_")).int >> 80)


def new_token() -> str:
    return secrets.token_hex(TOKEN_BYTES)


DEFAULT_TENANT = "-"  # the tenant of all requests while the service requires no API key


def session_key(session_id: str, user_id: str | None = None, tenant: str = DEFAULT_TENANT) -> str:
    """Return the name of a (tenant, user, session), under which its history is stored too.

    For the default tenant without a user it is the session's escaped id alone, which an unmodified
    `RedisChatMessageHistory` reads. Escaped ids contain no slash, so no two sessions share a name.
    """
    session = escape_id(session_id)
    if user_id is None and tenant == DEFAULT_TENANT:
        return session
    return f"{tenant}/{escape_id(user_id) if user_id else '-'}/{session}"


def session_ids(session: str) -> tuple[str, str | None]:
    """Return the ids of the session and of its user of which `session_key` has composed this name."""
    owner, _, session_id = session.rpartition("/")
    user_id = owner.partition("/")[2]
    return unescape_id(session_id), None if user_id in {"", "-"} else unescape_id(user_id)


def user_key(user_id: str, tenant: str = DEFAULT_TENANT) -> str:
    """Return the name of a (tenant, user), under which its turns are indexed; `user_of.lua` has the same rule."""
    return f"{tenant}/{escape_id(user_id)}"


def tenant_of(session: str) -> str:
    """Return the tenant of a session key; `tenant_of.lua` implements the same rule."""
    tenant, slash, _ = session.partition("/")
    return tenant if slash else DEFAULT_TENANT


def forked_session_id(forked_from: str | None) -> str | None:
    """Return the id of the session whose key begins a stored `forked_from`."""
    return forked_from and unescape_id(forked_from.partition(" ")[0].rpartition("/")[2])
