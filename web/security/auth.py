"""Authentication by API key, and what the scopes of a key allow."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Request, request

from turns.access.access_token import UNSIGNED, AccessToken, claimed_signer
from turns.access.api_key import API_KEY, ApiKey, Scope
from turns.access.api_keys import KEY_CACHE_SECONDS, ApiKeyStore
from turns.access.key_uses import KeyUses
from turns.domain.errors import Forbidden, Unauthenticated
from turns.domain.ids import DEFAULT_TENANT

MAX_CACHED_KEYS = 10_000  # about 2 MB
OPERATOR_PATHS = ("/operator/", "/metrics")  # the page `/operator` holds no data, and asks for the key itself
LANGSERVE_ROOT = ("/invoke", "/batch", "/stream", "/input_schema", "/output_schema", "/config_schema")
SURFACE_PATHS = ("/ai/", "/langserve/", "/openai/", *LANGSERVE_ROOT)  # protocols of other clients
GUARDED = ("/v1/", *SURFACE_PATHS, *OPERATOR_PATHS)
KEYS_PATH = "/operator/keys"  # and what is below it
TOKENS_PATH = "/v1/tokens"
EVENTS = "/events"  # end of the paths of event streams
MESSAGE_TEXT = "/text"  # end of the one operator path that returns message text
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WRONG_KEY = "Invalid, expired or revoked API key."
WRONG_TOKEN = "Invalid or expired access token. Get a new one from your backend."  # noqa: S105


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request. `key_id`: of the API key, or of the one that signed `token`; None without keys."""

    tenant: str
    scopes: frozenset[Scope | str]
    key_id: str | None = None
    token: AccessToken | None = None

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
            sent = "token" if self.token else "key"
            raise Forbidden(f"This needs a {sent} with scope {' or '.join(allowing)}; yours has {owned}.")


def _allowing_scopes(method: str, path: str) -> tuple[Scope, ...]:
    is_safe = method in SAFE_METHODS or path == TOKENS_PATH  # a token can do no more than its key
    if path.startswith(KEYS_PATH):
        return (Scope.ADMIN,)
    if path.startswith(OPERATOR_PATHS):
        is_readable = is_safe and not path.endswith(MESSAGE_TEXT)
        return (Scope.OPERATOR, Scope.OBSERVER, Scope.ADMIN) if is_readable else (Scope.OPERATOR,)
    return (Scope.TURNS, Scope.READ) if is_safe else (Scope.TURNS,)


# Until the first key is created there is one tenant, and every caller may do everything. Such a service listens on
# loopback only, unless INTURN_ALLOW_OPEN_ACCESS is set.
ANONYMOUS = Caller(DEFAULT_TENANT, frozenset(Scope))


@dataclass(frozen=True, slots=True)
class Grant:
    """The caller that a credential stands for, and until when (ms), None if it does not expire."""

    caller: Caller
    expires_at: int | None


class Authenticator:
    """Finds the caller of a request by its API key or access token, and caches both for `KEY_CACHE_SECONDS`."""

    def __init__(self, api_keys: ApiKeyStore, uses: KeyUses, *, requires_keys: bool) -> None:
        """`requires_keys`: also if the store has none, because it may be empty or an older copy."""
        self._api_keys = api_keys
        self._uses = uses
        self._requires_keys = requires_keys
        self._checked_at = -KEY_CACHE_SECONDS  # when the store was asked whether keys are required
        self._cache: dict[bytes, tuple[float, Grant | None]] = {}

    def authenticate(self, authorization: str | None) -> Caller:
        """Return the caller, given the header `Authorization`. Raises `Unauthenticated`, `StoreUnavailable`."""
        sent = _sent_credential(authorization)
        signer = claimed_signer(sent) if sent else None
        requires_keys = self._are_keys_required()
        if not requires_keys and signer != UNSIGNED:
            return ANONYMOUS
        if sent is None:
            raise Unauthenticated
        grant = self._find(sent) if requires_keys else _grant_of_token(sent, UNSIGNED, ANONYMOUS)
        if grant is None or _has_expired(grant):
            raise Unauthenticated(WRONG_TOKEN if signer else WRONG_KEY)
        if grant.caller.key_id:
            self._uses.record(grant.caller.key_id)
        return grant.caller

    def _are_keys_required(self) -> bool:
        """Return whether a key was ever created. It stays true from then on, so only false is checked again."""
        now = time.monotonic()
        if not self._requires_keys and now - self._checked_at >= KEY_CACHE_SECONDS:
            self._requires_keys = self._api_keys.has_keys()
            self._checked_at = now
        return self._requires_keys

    def _find(self, sent: str) -> Grant | None:
        """Return the grant of a credential. Wrong ones are cached too, so that guessing does not load the store."""
        now, digest = time.monotonic(), hashlib.sha256(sent.encode()).digest()
        cached_at, grant = self._cache.get(digest, (-KEY_CACHE_SECONDS, None))
        if now - cached_at < KEY_CACHE_SECONDS:
            return grant
        if len(self._cache) >= MAX_CACHED_KEYS:
            self._cache.clear()
        grant = self._read_grant(sent)
        self._cache[digest] = (now, grant)
        return grant

    def _read_grant(self, sent: str) -> Grant | None:
        signer = claimed_signer(sent)
        if signer is None:
            key = self._api_keys.find_key(sent)
            return Grant(_caller_of(key), key.expires_at) if key else None
        found = self._api_keys.find_signer(signer)
        return _grant_of_token(sent, found[1], _caller_of(found[0])) if found else None


def _caller_of(key: ApiKey) -> Caller:
    return Caller(key.tenant, key.scopes, key.id)


def _grant_of_token(text: str, secret: str, signer: Caller) -> Grant | None:
    """Return what a token grants: not more than the key that signed it."""
    token = AccessToken.verify(text, secret)
    if token is None:
        return None
    scopes = signer.scopes.intersection(token.scopes)
    return Grant(Caller(signer.tenant, scopes, signer.key_id, token), token.expires_at * 1000)


def sent_authorization(request: Request) -> str | None:
    """Return the header `Authorization`; for event streams, which `EventSource` opens without headers, `?token=`."""
    header = request.headers.get("Authorization")
    if header is None and request.path.endswith(EVENTS) and (token := request.args.get("token")):
        return f"Bearer {token}"
    return header


def keep_authenticating(authenticator: Authenticator) -> Callable[[], object]:
    """Return a function that raises `Unauthenticated` when the key of the present request is no longer valid."""
    authorization = sent_authorization(request)
    return lambda: authenticator.authenticate(authorization)


def claimed_key_id(authorization: str | None) -> str | None:
    """Return the id in the key that was sent, which may be revoked or wrong; None if it has not the form of a key."""
    parts = API_KEY.fullmatch(_sent_credential(authorization) or "")
    return parts[1] if parts else None


def _sent_credential(authorization: str | None) -> str | None:
    """Return the API key or access token in the header, or None if it has none."""
    scheme, _, credential = (authorization or "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


def _has_expired(grant: Grant) -> bool:
    return grant.expires_at is not None and grant.expires_at < time.time() * 1000
