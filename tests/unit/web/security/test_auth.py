"""Authentication and scopes, on a clock that the tests set."""

from types import SimpleNamespace
from typing import cast

import pytest

from tests.support.stub_client import StubClient
from turns.access.api_key import ApiKey, Scope
from turns.access.api_keys import KEY_CACHE_SECONDS, ApiKeyStore
from turns.access.key_uses import KeyUses
from turns.domain.errors import Forbidden, Unauthenticated
from web.security import auth
from web.security.auth import ANONYMOUS, MAX_CACHED_KEYS, WRONG_KEY, Authenticator, Caller

KEY = ApiKey(id="k1", tenant="acme", scopes=frozenset({Scope.TURNS}), created_at=0, expires_at=None)
HEADER = "Bearer inturn_k1_secret"


class Clock:
    """Seconds since an arbitrary moment, as both `time.time` and `time.monotonic` give them."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return self.seconds


class Keys:
    """The keys in the store, and the number of times that it was asked for one."""

    def __init__(self, **keys: ApiKey) -> None:
        self.keys = keys
        self.was_created = bool(keys)
        self.reads = 0

    def has_keys(self) -> bool:
        return self.was_created

    def find_key(self, api_key: str) -> ApiKey | None:
        self.reads += 1
        return self.keys.get(api_key)


def uses() -> KeyUses:
    """Return the uses of keys, which nothing writes to a store."""
    return KeyUses(StubClient().as_client)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(auth, "time", SimpleNamespace(time=clock.now, monotonic=clock.now))
    return clock


@pytest.fixture
def keys() -> Keys:
    return Keys(inturn_k1_secret=KEY)


@pytest.fixture
def authenticator(clock: Clock, keys: Keys) -> Authenticator:
    return Authenticator(cast(ApiKeyStore, keys), uses(), requires_keys=False)


def test_a_key_names_tenant_scopes_and_id(authenticator: Authenticator) -> None:
    assert authenticator.authenticate(HEADER) == Caller("acme", frozenset({Scope.TURNS}), "k1")
    assert authenticator.authenticate("bearer  inturn_k1_secret ").tenant == "acme"


@pytest.mark.parametrize("header", [None, "", "Basic abc", "inturn_k1_secret"])
def test_without_a_key_the_message_names_the_header(authenticator: Authenticator, header: str | None) -> None:
    with pytest.raises(Unauthenticated, match=r"API key required\. Send it as `Authorization: Bearer"):
        authenticator.authenticate(header)


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer inturn_k1_wrong"])
def test_a_wrong_key_gets_another_message(authenticator: Authenticator, header: str) -> None:
    with pytest.raises(Unauthenticated, match=WRONG_KEY):
        authenticator.authenticate(header)


def test_a_cached_key_costs_no_read(authenticator: Authenticator, keys: Keys, clock: Clock) -> None:
    for clock.seconds in (0, 1, KEY_CACHE_SECONDS - 0.01):
        authenticator.authenticate(HEADER)
    assert keys.reads == 1
    clock.seconds = KEY_CACHE_SECONDS
    authenticator.authenticate(HEADER)
    assert keys.reads == 2


def test_a_wrong_key_is_cached_too(authenticator: Authenticator, keys: Keys) -> None:
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate("Bearer inturn_k1_wrong")
    assert keys.reads == 1


def test_a_revoked_key_stops_working_in_time(authenticator: Authenticator, keys: Keys, clock: Clock) -> None:
    authenticator.authenticate(HEADER)
    keys.keys.clear()
    clock.seconds = KEY_CACHE_SECONDS
    with pytest.raises(Unauthenticated, match=WRONG_KEY):
        authenticator.authenticate(HEADER)


def test_a_cached_key_expires_at_its_time(clock: Clock) -> None:
    expiring = ApiKey(id="k1", tenant="acme", scopes=KEY.scopes, created_at=0, expires_at=1000)
    authenticator = Authenticator(cast(ApiKeyStore, Keys(inturn_k1_secret=expiring)), uses(), requires_keys=False)
    authenticator.authenticate(HEADER)
    clock.seconds = 1.001
    with pytest.raises(Unauthenticated, match=WRONG_KEY):
        authenticator.authenticate(HEADER)


def test_the_cache_is_bounded(authenticator: Authenticator) -> None:
    for n in range(MAX_CACHED_KEYS + 1):
        with pytest.raises(Unauthenticated):
            authenticator.authenticate(f"Bearer guess{n}")
    assert len(authenticator._cache) == 1


def test_before_the_first_key_every_caller_is_anonymous(clock: Clock) -> None:
    keys = Keys()
    authenticator = Authenticator(cast(ApiKeyStore, keys), uses(), requires_keys=False)
    assert authenticator.authenticate(None) is ANONYMOUS
    keys.was_created = True
    clock.seconds = KEY_CACHE_SECONDS
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(None)


def test_a_service_with_keys_never_opens_again(authenticator: Authenticator, keys: Keys, clock: Clock) -> None:
    authenticator.authenticate(HEADER)
    keys.was_created = False
    clock.seconds = 1000
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(None)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("POST", "/v1/turns", {Scope.TURNS}),
        ("DELETE", "/v1/sessions/s", {Scope.TURNS}),
        ("GET", "/v1/turns", {Scope.TURNS, Scope.READ}),
        ("HEAD", "/v1/turns", {Scope.TURNS, Scope.READ}),
        ("GET", "/operator/stats.json", {Scope.OPERATOR, Scope.OBSERVER, Scope.ADMIN}),
        ("GET", "/operator/audit", {Scope.OPERATOR, Scope.OBSERVER, Scope.ADMIN}),
        ("GET", "/metrics", {Scope.OPERATOR, Scope.OBSERVER, Scope.ADMIN}),
        ("GET", "/operator/keys", {Scope.ADMIN}),
        ("POST", "/operator/keys", {Scope.ADMIN}),
        ("POST", "/operator/keys/0123456789ab/revoke", {Scope.ADMIN}),
        ("GET", "/operator/turns/turn_1/text", {Scope.OPERATOR}),
        ("PUT", "/operator/pauses/intake", {Scope.OPERATOR}),
    ],
)
def test_each_request_needs_one_of_these_scopes(method: str, path: str, allowed: set[Scope]) -> None:
    for scope in Scope:
        caller = Caller("acme", frozenset({scope}))
        if scope in allowed:
            caller.check(method, path)
        else:
            with pytest.raises(Forbidden):
                caller.check(method, path)


def test_a_refusal_names_the_scopes() -> None:
    with pytest.raises(Forbidden, match="needs a key with scope turns; yours has observer and operator"):
        Caller("acme", frozenset({Scope.OPERATOR, Scope.OBSERVER})).check("POST", "/v1/turns")


def test_only_an_operator_may_act() -> None:
    assert Caller("acme", frozenset({Scope.OPERATOR})).may_act
    assert not Caller("acme", frozenset(Scope) - {Scope.OPERATOR}).may_act


def test_required_keys_stay_required_in_an_empty_store(clock: Clock) -> None:
    authenticator = Authenticator(cast(ApiKeyStore, Keys()), uses(), requires_keys=True)
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(None)
    with pytest.raises(Unauthenticated, match=WRONG_KEY):
        authenticator.authenticate(HEADER)
