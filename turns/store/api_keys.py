"""API keys: who may call, for which tenant, to do what. A key is shown once, when it is made; its digest is kept."""

import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name

SECRET_BYTES = 32  # 256 bits cannot be guessed, so a plain digest is enough
ID_BYTES = 6
API_KEY = re.compile(r"inturn_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Scope(StrEnum):
    TURNS = "turns"  # everything about one's own turns and sessions
    READ = "read"  # only to look at them
    OPERATOR = "operator"  # the service itself, and every tenant's turns
    OBSERVER = "observer"  # only to look at what operators see, and not at what was said


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of a key; the key itself is not. Instants are milliseconds; `expires_at` None: never."""

    id: str
    tenant: str
    scopes: frozenset[Scope]
    created_at: int
    expires_at: int | None

    @classmethod
    def from_record(cls, key_id: str, record: dict[bytes, bytes]) -> Self:
        expires_at = record.get(b"expires_at")
        return cls(
            id=key_id,
            tenant=record[b"tenant"].decode(),
            scopes=frozenset(map(Scope, record[b"scopes"].decode().split())),
            created_at=int(record[b"created_at"]),
            expires_at=int(expires_at) if expires_at else None,
        )


class ApiKeyStore:
    def __init__(self, client: Client) -> None:
        self._client = client

    def create_key(
        self, tenant: str, scopes: Iterable[Scope], *, lives_seconds: float | None = None
    ) -> tuple[str, ApiKey]:
        """A new key, and what is kept of it. Raises ValueError for a tenant that cannot be one, or no scope."""
        scopes = frozenset(scopes)
        if not (is_name(tenant) or tenant == DEFAULT_TENANT):
            raise ValueError(f"tenant: {NAME_RULE}")
        if not scopes:
            raise ValueError(f"scopes: at least one of {', '.join(Scope)}")
        key_id, secret = secrets.token_hex(ID_BYTES), secrets.token_urlsafe(SECRET_BYTES)
        now = round(time.time() * 1000)
        expires_at = None if lives_seconds is None else now + round(lives_seconds * 1000)
        record: dict[Any, Any] = {
            "digest": _digest(secret),
            "tenant": tenant,
            "scopes": " ".join(sorted(scopes)),
            "created_at": now,
            **({"expires_at": expires_at} if expires_at else {}),
        }
        with self._client.pipeline(transaction=True) as both:
            both.hset(keys.API_KEY(key_id), mapping=record)
            if expires_at:
                both.pexpireat(keys.API_KEY(key_id), expires_at)
            both.zadd(keys.API_KEYS.name, {key_id: now})
            both.hset(keys.SERVICE.name, "locked", 1)
            both.execute()
        made = ApiKey(id=key_id, tenant=tenant, scopes=scopes, created_at=now, expires_at=expires_at)
        return f"inturn_{key_id}_{secret}", made

    def find_key(self, api_key: str) -> ApiKey | None:
        """What this key allows; None: nothing, because it was never made, was revoked, or has expired."""
        parts = API_KEY.fullmatch(api_key)
        if not parts:
            return None
        record = self._record(parts[1])
        if not record or not hmac.compare_digest(record[b"digest"], _digest(parts[2]).encode()):
            return None
        return ApiKey.from_record(parts[1], record)

    def list_keys(self) -> list[ApiKey]:
        """All keys that work, the oldest first. Those that have expired are forgotten."""
        found = []
        for member in cast(list[bytes], self._client.zrange(keys.API_KEYS.name, 0, -1)):
            record = self._record(member.decode())
            if record:
                found.append(ApiKey.from_record(member.decode(), record))
            else:
                self._client.zrem(keys.API_KEYS.name, member)
        return found

    def revoke_key(self, key_id: str) -> bool:
        """The key allows nothing any more. False: there was none."""
        with self._client.pipeline(transaction=True) as both:
            both.unlink(keys.API_KEY(key_id))
            both.zrem(keys.API_KEYS.name, key_id)
            return bool(both.execute()[0])

    def has_keys(self) -> bool:
        """Whether anybody is asked for a key at all: from the first one made on, also when all were revoked."""
        return self._client.hget(keys.SERVICE.name, "locked") is not None

    def _record(self, key_id: str) -> dict[bytes, bytes]:
        return cast(dict[bytes, bytes], self._client.hgetall(keys.API_KEY(key_id)))


def check_exposure(api_keys: ApiKeyStore, settings: Settings) -> None:
    """Raises `ConfigurationError` where other machines could call without a key."""
    if settings.is_loopback or settings.allow_open_access or api_keys.has_keys():
        return
    raise ConfigurationError(
        f"INTURN_HOST: {settings.host} can be reached from other machines, and nobody would be asked for a key. "
        "Make one first (make key TENANT=acme, or python -m turns keys create acme), bind to 127.0.0.1, "
        "or say INTURN_ALLOW_OPEN_ACCESS=true."
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
