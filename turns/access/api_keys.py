"""The API keys in the store.

A key is shown once, when it is created. The store has only a digest of it, in the credential; a key works exactly as
long as its credential exists. What is known of the key is another record, which stays for a while after its end.
"""

import hashlib
import hmac
import secrets
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from turns.access.api_key import API_KEY, KEY_ID, LABEL_RULE, ApiKey, KeyState, Scope, is_label
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import to_record
from turns.domain.errors import KeyExists, KeyNotActive, KeyNotFound
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name

KEY_CACHE_SECONDS = 2.0  # an endpoint notices the first key, and that a key was revoked, within this time
ENDED_SECONDS = 90 * 24 * 3600  # for which a revoked or expired key is listed
SECRET_BYTES = 32  # 256 random bits cannot be guessed, so a fast digest without a salt is enough
ID_BYTES = 6
PAGE = 500  # keys that one command reads
CREDENTIAL = ("tenant", "scopes", "created_at", "expires_at")  # its fields besides the digest, read with each request

Commands = list[tuple[str | int, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyPage:
    """A page of keys, newest first; `after` is the cursor of the next page, None on the last."""

    keys: tuple[ApiKey, ...]
    after: int | None


class ApiKeyStore:
    """Every method raises `StoreUnavailable`."""

    def __init__(self, client: Client) -> None:
        self._client = client.home

    def create_key(
        self,
        tenant: str,
        scopes: Iterable[Scope | str],
        *,
        lifetime_seconds: float | None = None,
        label: str = "",
        key_id: str | None = None,
        created_by: str | None = None,
    ) -> tuple[str, ApiKey]:
        """Create a key; return its text and its record.

        Raises ValueError for an invalid tenant or label, or no scope, and `KeyExists` if there is a key with this id.
        """
        scopes = frozenset(scopes)
        if not (is_name(tenant) or tenant == DEFAULT_TENANT):
            raise ValueError(f"tenant: {NAME_RULE}")
        if not scopes:
            raise ValueError(f"scopes: at least one of {', '.join(Scope)}")
        if not is_label(label):
            raise ValueError(f"label: {LABEL_RULE}")
        now = _now_ms()
        created = ApiKey(
            id=key_id or secrets.token_hex(ID_BYTES),
            tenant=tenant,
            scopes=scopes,
            created_at=now,
            expires_at=None if lifetime_seconds is None else now + round(lifetime_seconds * 1000),
            label=label,
            created_by=created_by,
        )
        return self._store_key(created), created

    def rotate_key(
        self, key_id: str, *, overlap_seconds: float, new_id: str | None = None, by: str | None = None
    ) -> tuple[str, ApiKey, ApiKey]:
        """Create a successor of a key, and let the key itself expire after the overlap.

        The successor has the same tenant, scopes, label and lifetime. Return its text, its record and that of the key.

        Raises `KeyNotFound`, `KeyNotActive`, and `KeyExists` if there is a key with the new id.
        """
        old = self.get_key(key_id)
        if new_id and self._read_keys([new_id]) != [None]:
            raise KeyExists  # above all for a repeated request, the first of which may have ended the key
        lifetime = self._read_lifetime(old)
        now = _now_ms()
        new = ApiKey(
            id=new_id or secrets.token_hex(ID_BYTES),
            tenant=old.tenant,
            scopes=old.scopes,
            created_at=now,
            expires_at=lifetime and now + lifetime,
            label=old.label,
            created_by=by,
            replaces=old.id,
        )
        ends_at = now + round(overlap_seconds * 1000)
        ending = replace(old, replaced_by=new.id, expires_at=min(ends_at, old.expires_at or ends_at))
        at_once: Commands = [] if overlap_seconds else [("UNLINK", keys.API_KEY(old.id))]
        return self._store_key(new, [*_set_end(ending), *at_once]), new, ending

    def find_key(self, api_key: str) -> ApiKey | None:
        """Return the record of this key, or None if the key is invalid, revoked or expired."""
        parts = API_KEY.fullmatch(api_key)
        if not parts:
            return None
        found = self.find_signer(parts[1])
        return found[0] if found and hmac.compare_digest(found[1], _digest(parts[2])) else None

    def find_signer(self, key_id: str) -> tuple[ApiKey, str] | None:
        """Return a valid key and the secret with which it signs access tokens; None if it is revoked or expired.

        The secret is the digest of the key: who can read it in the store can read everything there anyway.
        """
        record = to_record(cast(dict[bytes, bytes], self._client.hgetall(keys.API_KEY(key_id))))
        return (ApiKey.from_record(key_id, record), record["digest"]) if record else None

    def get_key(self, key_id: str) -> ApiKey:
        """Return what is known of a key. Raises `KeyNotFound`."""
        found = self._read_keys([key_id])[0] if KEY_ID.fullmatch(key_id) else None
        if found is None:
            raise KeyNotFound
        return found

    def list_keys(self) -> list[ApiKey]:
        """Return the active keys, newest first."""
        return [key for key in self.list_all() if key.is_active]

    def list_all(self) -> Iterator[ApiKey]:
        """Yield the keys that are valid or have ended recently, newest first."""
        after: int | None = 0
        while after is not None:
            page = self.list_page(after=after, limit=PAGE)
            yield from page.keys
            after = page.after

    def list_page(self, *, tenant: str | None = None, after: int | None = None, limit: int) -> KeyPage:
        """Return a page of the keys that `list_all` yields. It may be short although it is not the last."""
        first = after or 0
        members = cast(list[bytes], self._client.zrevrange(keys.API_KEYS.name, first, first + limit - 1))
        found = self._read_listed([member.decode() for member in members])
        kept = tuple(key for key in found if tenant is None or key.tenant == tenant)
        removed = len(members) - len(found)
        return KeyPage(keys=kept, after=first + limit - removed if len(members) == limit else None)

    def revoke_key(self, key_id: str, *, by: str | None = None) -> ApiKey:
        """Revoke a key and return it; one that has ended stays as it is. Raises `KeyNotFound`."""
        found = self.get_key(key_id)
        if not found.is_active:
            return found
        revoked = replace(found, state=KeyState.REVOKED, revoked_at=_now_ms(), revoked_by=by)
        info = keys.KEY_INFO(key_id)
        commands: Commands = [
            ("UNLINK", keys.API_KEY(key_id)),
            ("HSET", info, *_flat(revoked.to_record())),
            ("EXPIRE", info, ENDED_SECONDS),
        ]
        self._client.execute_many(commands, transaction=True)
        return revoked

    def end_key(self, key_id: str, *, at: int) -> None:
        """Let a valid key expire at this time (ms), unless it expires before."""
        self._client.execute_many([("PEXPIREAT", keys.API_KEY(key_id), at, "LT")])

    def has_keys(self) -> bool:
        """Return whether callers need a key: true once a key was created, even if all were revoked since."""
        return self._client.hget(keys.SERVICE.name, "locked") is not None

    def _read_lifetime(self, key: ApiKey) -> int | None:
        """Return the lifetime (ms) of a key as created: a rotation shortens its record. Raises `KeyNotActive`."""
        tenant, ends_at = cast(list[Any], self._client.hmget(keys.API_KEY(key.id), ["tenant", "expires_at"]))
        if tenant is None:
            raise KeyNotActive
        return int(ends_at) - key.created_at if ends_at else None

    def _store_key(self, new: ApiKey, also: Iterable[tuple[str | int, ...]] = ()) -> str:
        """Write a new key and return its text. Raises `KeyExists`."""
        claim: Commands = [
            ("EXISTS", keys.API_KEY(new.id), keys.KEY_INFO(new.id)),
            ("ZADD", keys.API_KEYS.name, "NX", new.created_at, new.id),  # may be sent twice: its reply says nothing
            ("ZSCORE", keys.API_KEYS.name, new.id),
        ]
        known, _, since = self._client.execute_many(claim, transaction=True)
        if known or int(float(since)) != new.created_at:
            raise KeyExists
        secret = secrets.token_urlsafe(SECRET_BYTES)
        record = new.to_record()
        credential = {name: record[name] for name in CREDENTIAL if name in record}
        commands: Commands = [
            ("HSET", keys.API_KEY(new.id), "digest", _digest(secret), *_flat(credential)),
            ("HSET", keys.KEY_INFO(new.id), *_flat(record)),
            *(_set_end(new) if new.expires_at else ()),
            ("ZADD", keys.API_KEYS.name, new.created_at, new.id),  # a list of keys may have removed it since
            ("HSET", keys.SERVICE.name, "locked", 1),
            *also,
        ]
        self._client.execute_many(commands, transaction=True)
        return f"inturn_{new.id}_{secret}"

    def _read_listed(self, key_ids: Sequence[str]) -> list[ApiKey]:
        """Return what is known of these keys, and remove those of which nothing is known any more from the list."""
        found = self._read_keys(key_ids)
        forgotten = [key_id for key_id, key in zip(key_ids, found, strict=True) if key is None]
        if forgotten:
            lists = (("ZREM", keys.API_KEYS.name), ("HDEL", keys.KEY_USES.name))
            self._client.execute_many([(command, name, *forgotten) for command, name in lists])
        return [key for key in found if key]

    def _read_keys(self, key_ids: Sequence[str]) -> list[ApiKey | None]:
        if not key_ids:
            return []
        names = [name for key_id in key_ids for name in (keys.API_KEY(key_id), keys.KEY_INFO(key_id))]
        *hashes, uses = self._client.execute_many(
            [*(("HGETALL", name) for name in names), ("HMGET", keys.KEY_USES.name, *key_ids)]
        )
        records = map(to_record, hashes)
        return [
            _to_key(key_id, next(records), next(records), used_at and int(used_at))
            for key_id, used_at in zip(key_ids, uses, strict=True)
        ]


def _to_key(key_id: str, credential: dict[str, str], info: dict[str, str], used_at: int | None) -> ApiKey | None:
    """Return what is known of a key. Keys of earlier releases have no record besides the credential."""
    if credential:
        # A restored copy of the store may have revived a revoked key.
        kept = {name: value for name, value in info.items() if not name.startswith("revoked_")}
        return ApiKey.from_record(key_id, {**credential, **kept}, last_used_at=used_at)
    if "tenant" not in info:
        return None
    state = KeyState.REVOKED if "revoked_at" in info else KeyState.EXPIRED
    return ApiKey.from_record(key_id, info, state=state, last_used_at=used_at)


def _set_end(key: ApiKey) -> Commands:
    """Return the commands that let a key expire at `expires_at`, and what is known of it some time later."""
    expires_at = key.expires_at or 0
    info = keys.KEY_INFO(key.id)
    return [
        ("PEXPIREAT", keys.API_KEY(key.id), expires_at),
        ("HSET", info, *_flat(key.to_record())),
        ("PEXPIREAT", info, expires_at + ENDED_SECONDS * 1000),
    ]


def _flat(fields: dict[str, str]) -> list[str]:
    return [part for pair in fields.items() for part in pair]


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _now_ms() -> int:
    return round(time.time() * 1000)
