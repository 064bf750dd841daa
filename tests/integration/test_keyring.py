"""Tests of API keys on a real server."""

import hashlib

import pytest

from tests.server import Server
from turns import keys
from turns.connection import connect
from turns.errors import ConfigurationError
from turns.keyring import Keyring, Scope, check_exposure
from turns.settings import Settings


@pytest.fixture
def keyring(server: Server, settings: Settings) -> Keyring:
    return Keyring(connect(settings.store_url, timeout_seconds=5, retries=0, max_connections=2))


def test_a_key_is_shown_once_and_only_its_digest_is_kept(keyring: Keyring, server: Server) -> None:
    api_key, made = keyring.create("acme", [Scope.TURNS, Scope.READ])
    assert keyring.find(api_key) == made
    secret = api_key.split("_", 2)[2]
    stored = server.raw.hgetall(keys.API_KEY(made.id))
    assert stored[b"digest"] == hashlib.sha256(secret.encode()).hexdigest().encode()
    assert secret.encode() not in b"".join(stored.values())


def test_two_keys_of_a_tenant_are_valid_at_the_same_time(keyring: Keyring) -> None:
    old, old_made = keyring.create("acme", [Scope.TURNS])
    new, _ = keyring.create("acme", [Scope.TURNS])
    assert keyring.revoke(old_made.id)
    assert keyring.find(old) is None
    found = keyring.find(new)
    assert found is not None
    assert found.tenant == "acme"
    assert not keyring.revoke(old_made.id)


def test_an_expired_key_is_removed(keyring: Keyring, server: Server) -> None:
    api_key, made = keyring.create("acme", [Scope.TURNS], lives_seconds=60)
    assert 0 < server.raw.pttl(keys.API_KEY(made.id)) <= 60_000
    server.raw.pexpire(keys.API_KEY(made.id), 0)
    assert keyring.find(api_key) is None
    assert keyring.list_keys() == []
    assert server.raw.zcard(keys.API_KEYS.name) == 0


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1] + ("a" if k[-1] != "a" else "b"), lambda k: k + "x", lambda k: "", str.upper]
)
def test_an_almost_correct_key_is_invalid(keyring: Keyring, change: object) -> None:
    api_key, _ = keyring.create("acme", [Scope.TURNS])
    assert keyring.find(change(api_key)) is None  # type: ignore[operator]


@pytest.mark.parametrize("tenant", ["", "a/b", "..", "x" * 129, "a b"])
def test_an_invalid_tenant_name_is_refused(keyring: Keyring, tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        keyring.create(tenant, [Scope.TURNS])


def test_after_the_first_key_the_service_stays_locked(keyring: Keyring) -> None:
    assert not keyring.is_used()
    _, made = keyring.create("acme", [Scope.TURNS])
    keyring.revoke(made.id)
    assert keyring.is_used()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104  # the test needs it
def test_a_public_address_needs_a_key_or_explicit_permission(keyring: Keyring, settings: Settings, host: str) -> None:
    exposed = settings.model_copy(update={"host": host})
    with pytest.raises(ConfigurationError, match="make key"):
        check_exposure(keyring, exposed)
    check_exposure(keyring, exposed.model_copy(update={"allow_open_access": True}))
    keyring.create("acme", [Scope.TURNS])
    check_exposure(keyring, exposed)
