"""API keys: the tenant and the scopes of a caller.

A key is shown once, when it is created. The store has only a digest of it.
"""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.config import commands
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name
from turns.domain.open_enum import member_or_text

KEY_CACHE_SECONDS = 2.0  # an endpoint notices the first key, and that a key was revoked, within this time
SECRET_BYTES = 32  # 256 random bits cannot be guessed, so a fast digest without a salt is enough
ID_BYTES = 6
API_KEY = re.compile(r"inturn_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    TURNS = "turns"  # read and change the turns and sessions of the tenant
    READ = "read"  # read the turns and sessions of the tenant
    OPERATOR = "operator"  # operate the service, including the turns of all tenants
    OBSERVER = "observer"  # read the same as an operator, except message text


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """The record of a key, without its secret; times in ms, `expires_at` None if it does not expire.

    A scope that only a newer release knows allows nothing here.
    """

    id: str
    tenant: str
    scopes: frozenset[Scope | str]
    created_at: int
    expires_at: int | None

    @classmethod
    def from_record(cls, key_id: str, record: dict[bytes, bytes]) -> Self:
        expires_at = record.get(b"expires_at")
        return cls(
            id=key_id,
            tenant=record[b"tenant"].decode(),
            scopes=frozenset(member_or_text(Scope, name) for name in record[b"scopes"].decode().split()),
            created_at=int(record[b"created_at"]),
            expires_at=int(expires_at) if expires_at else None,
        )


class ApiKeyStore:
    def __init__(self, client: Client) -> None:
        self._client = client

    def create_key(
        self, tenant: str, scopes: Iterable[Scope], *, lifetime_seconds: float | None = None
    ) -> tuple[str, ApiKey]:
        """Create a key; return its text and its record. Raises ValueError for an invalid tenant, or no scope."""
        scopes = frozenset(scopes)
        if not (is_name(tenant) or tenant == DEFAULT_TENANT):
            raise ValueError(f"tenant: {NAME_RULE}")
        if not scopes:
            raise ValueError(f"scopes: at least one of {', '.join(Scope)}")
        key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        now = round(time.time() * 1000)
        expires_at = None if lifetime_seconds is None else now + round(lifetime_seconds * 1000)
        created = ApiKey(id=key_id, tenant=tenant, scopes=scopes, created_at=now, expires_at=expires_at)
        record = {
            "digest": _digest(secret),
            "tenant": tenant,
            "scopes": " ".join(sorted(scopes)),
            "created_at": str(now),
        }
        expiry = {"expires_at": str(expires_at)} if expires_at else {}
        commands: list[tuple[str | int, ...]] = [
            ("HSET", keys.API_KEY(key_id), *(part for field in {**record, **expiry}.items() for part in field)),
            *(("PEXPIREAT", keys.API_KEY(key_id), at) for at in expiry.values()),
            ("ZADD", keys.API_KEYS.name, now, key_id),
            ("HSET", keys.SERVICE.name, "locked", 1),
        ]
        self._client.execute_many(commands, transaction=True)
        return f"inturn_{key_id}_{secret}", created

    def find_key(self, api_key: str) -> ApiKey | None:
        """Return the record of this key, or None if the key is invalid, revoked or expired."""
        parts = API_KEY.fullmatch(api_key)
        if not parts:
            return None
        record = self._read_record(parts[1])
        if not record or not hmac.compare_digest(record[b"digest"], _digest(parts[2]).encode()):
            return None
        return ApiKey.from_record(parts[1], record)

    def list_keys(self) -> list[ApiKey]:
        """Return the valid keys, oldest first, and remove expired ones from the list."""
        found = []
        for member in cast(list[bytes], self._client.zrange(keys.API_KEYS.name, 0, -1)):
            record = self._read_record(member.decode())
            if record:
                found.append(ApiKey.from_record(member.decode(), record))
            else:
                self._client.zrem(keys.API_KEYS.name, member)
        return found

    def revoke_key(self, key_id: str) -> bool:
        """Revoke a key. Returns False if there is no such key."""
        commands = [("UNLINK", keys.API_KEY(key_id)), ("ZREM", keys.API_KEYS.name, key_id)]
        return bool(self._client.execute_many(commands, transaction=True)[0])

    def has_keys(self) -> bool:
        """Return whether callers need a key: true once a key was created, even if all were revoked since."""
        return self._client.hget(keys.SERVICE.name, "locked") is not None

    def _read_record(self, key_id: str) -> dict[bytes, bytes]:
        return cast(dict[bytes, bytes], self._client.hgetall(keys.API_KEY(key_id)))


def check_exposure(api_keys: ApiKeyStore, settings: Settings) -> None:
    """Raise `ConfigurationError` if other machines could call the service without a key."""
    if settings.is_loopback or settings.allow_open_access or settings.require_keys or api_keys.has_keys():
        return
    raise ConfigurationError(
        f"INTURN_HOST: {settings.host} can be reached from other machines, but there is no API key. "
        f"Start it on 127.0.0.1 (without INTURN_HOST) and create one there ({commands.CREATE_KEY}), "
        "or set INTURN_ALLOW_OPEN_ACCESS=true."
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
