"""Authentication by API key, and what the scopes of a key allow."""

import hashlib
import time
from dataclasses import dataclass

from turns.access.api_key import API_KEY, ApiKey, Scope
from turns.access.api_keys import KEY_CACHE_SECONDS, ApiKeyStore
from turns.access.key_uses import KeyUses
from turns.domain.errors import Forbidden, Unauthenticated
from turns.domain.ids import DEFAULT_TENANT

MAX_CACHED_KEYS = 10_000  # about 2 MB
OPERATOR_PATHS = ("/operator/", "/metrics")  # the page `/operator` holds no data, and asks for the key itself
GUARDED = ("/v1/", *OPERATOR_PATHS)
KEYS_PATH = "/operator/keys"  # and what is below it
MESSAGE_TEXT = "/text"  # end of the one operator path that returns message text
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG_KEY = "Invalid, expired or revoked API key."


@dataclass(frozen=True, slots=True)
class Caller:
    tenant: str
    scopes: frozenset[Scope | str]
    key_id: str | None = None

    @property
    def may_act(self) -> bool:
        """Whether the caller may pause, retry and drain, and read the message text of any tenant."""
        return Scope.OPERATOR in self.scopes

    @property
    def may_manage_keys(self) -> bool:
        return Scope.ADMIN in self.scopes

    def check(self, method: str, path: str) -> None:
        """Raise `Forbidden` unless a scope of the caller allows the request."""
        allowing = _allowing_scopes(method, path)
        if not self.scopes.intersection(allowing):
            owned = " and ".join(sorted(self.scopes))
            raise Forbidden(f"This needs a key with scope {' or '.join(allowing)}; yours has {owned}.")


def _allowing_scopes(method: str, path: str) -> tuple[Scope, ...]:
    is_safe = method in SAFE_METHODS
    if path.startswith(KEYS_PATH):
        return (Scope.ADMIN,)
    if path.startswith(OPERATOR_PATHS):
        is_readable = is_safe and not path.endswith(MESSAGE_TEXT)
        return (Scope.OPERATOR, Scope.OBSERVER, Scope.ADMIN) if is_readable else (Scope.OPERATOR,)
    return (Scope.TURNS, Scope.READ) if is_safe else (Scope.TURNS,)


# Until the first key is created there is one tenant, and every caller may do everything. Such a service listens on
# loopback only, unless INTURN_ALLOW_OPEN_ACCESS is set.
ANONYMOUS = Caller(DEFAULT_TENANT, frozenset(Scope))


class Authenticator:
    """Finds the caller of a request by its API key, and caches the keys for `KEY_CACHE_SECONDS`."""

    def __init__(self, api_keys: ApiKeyStore, uses: KeyUses, *, requires_keys: bool) -> None:
        """`requires_keys`: also if the store has none, because it may be empty or an older copy."""
        self._api_keys = api_keys
        self._uses = uses
        self._requires_keys = requires_keys
        self._checked_at = -KEY_CACHE_SECONDS  # when the store was asked whether keys are required
        self._cache: dict[bytes, tuple[float, ApiKey | None]] = {}

    def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller, given the header `Authorization`. Raises `Unauthenticated`, `StoreUnavailable`."""
        if not self._are_keys_required():
            return ANONYMOUS
        api_key = _sent_key(authorization)
        if api_key is None:
            raise Unauthenticated
        key = self._find(api_key)
        if key is None:
            raise Unauthenticated(WRONG_KEY)
        self._uses.record(key.id)
        return Caller(key.tenant, key.scopes, key.id)

    def _are_keys_required(self) -> bool:
        """Return whether a key was ever created. It stays true from then on, so only false is checked again."""
        now = time.monotonic()
        if not self._requires_keys and now - self._checked_at >= KEY_CACHE_SECONDS:
            self._requires_keys = self._api_keys.has_keys()
            self._checked_at = now
        return self._requires_keys

    def _find(self, api_key: str) -> ApiKey | None:
        """Return the key's record. Wrong keys are cached too, so that guessing them does not load the store."""
        now, digest = time.monotonic(), hashlib.sha256(api_key.encode()).digest()
        cached_at, key = self._cache.get(digest, (-KEY_CACHE_SECONDS, None))
        if now - cached_at < KEY_CACHE_SECONDS:
            return None if key and _has_expired(key) else key
        if len(self._cache) >= MAX_CACHED_KEYS:
            self._cache.clear()
        key = self._api_keys.find_key(api_key)
        self._cache[digest] = (now, key)
        return key


def claimed_key_id(authorization: str | None) -> str | None:
    """Return the id in the key that was sent, which may be revoked or wrong; None if it has not the form of a key."""
    parts = API_KEY.fullmatch(_sent_key(authorization) or "")
    return parts[1] if parts else None


def _sent_key(authorization: str | None) -> str | None:
    """Return the API key in the header, or None if it has none."""
    scheme, _, api_key = (authorization or "").partition(" ")
    return api_key.strip() if scheme.lower() == "bearer" else None


def _has_expired(key: ApiKey) -> bool:
    return key.expires_at is not None and key.expires_at < time.time() * 1000
