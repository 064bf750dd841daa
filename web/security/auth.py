"""Who calls, and what they may do."""

import hashlib
import time
from dataclasses import dataclass

from turns.domain.errors import Forbidden, Unauthenticated
from turns.domain.ids import DEFAULT_TENANT
from turns.store.api_keys import ApiKey, ApiKeyStore, Scope

KEY_CACHE_SECONDS = 2.0  # what was asked is known for so long, so a revoked key works no longer than that
MAX_CACHED_KEYS = 10_000
OPERATORS = ("/operator/", "/metrics")  # the page `/operator` itself holds nothing, and asks for the key
GUARDED = ("/v1/", *OPERATORS)
WHAT_WAS_SAID = "/text"
READING = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    scopes: frozenset[Scope]
    key_id: str | None = None

    @property
    def may_act(self) -> bool:
        """As an operator: pause, try again, drain; and read what was said in any tenant's turn."""
        return Scope.OPERATOR in self.scopes

    def check(self, method: str, path: str) -> None:
        """Raises `Forbidden`."""
        if path.startswith(OPERATORS):
            only_looks = method in READING and not path.endswith(WHAT_WAS_SAID)
            allowed = self.may_act or (only_looks and Scope.OBSERVER in self.scopes)
        elif method in READING:
            allowed = bool(self.scopes & {Scope.TURNS, Scope.READ})
        else:
            allowed = Scope.TURNS in self.scopes
        if not allowed:
            raise Forbidden


# Where no key was ever made there is one tenant, who may do everything; such a service is bound to loopback.
ANONYMOUS = Caller(DEFAULT_TENANT, frozenset(Scope))


class Authenticator:
    def __init__(self, api_keys: ApiKeyStore) -> None:
        self._api_keys = api_keys
        self._is_locked = False
        self._looked_at = 0.0
        self._known: dict[bytes, tuple[float, ApiKey | None]] = {}

    def authenticate(self, authorization: str | None) -> Caller:
        """Raises `Unauthenticated`, `StoreUnavailable`."""
        if not self._asks():
            return ANONYMOUS
        scheme, _, api_key = (authorization or "").partition(" ")
        found = self._find(api_key.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise Unauthenticated
        return Caller(found.tenant, found.scopes, found.id)

    def _asks(self) -> bool:
        """Once keys were made it never opens again, so only the other answer grows old."""
        now = time.monotonic()
        if not self._is_locked and now - self._looked_at > KEY_CACHE_SECONDS:
            self._is_locked = self._api_keys.has_keys()
            self._looked_at = now
        return self._is_locked

    def _find(self, api_key: str) -> ApiKey | None:
        """Wrong keys are remembered too: guessing costs the store nothing."""
        now, digest = time.monotonic(), hashlib.sha256(api_key.encode()).digest()
        known_at, found = self._known.get(digest, (-KEY_CACHE_SECONDS, None))
        if now - known_at < KEY_CACHE_SECONDS:
            return None if found and _has_expired(found) else found
        if len(self._known) >= MAX_CACHED_KEYS:
            self._known.clear()
        found = self._api_keys.find_key(api_key)
        self._known[digest] = (now, found)
        return found


def _has_expired(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at < time.time() * 1000
