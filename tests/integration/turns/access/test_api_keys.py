"""Tests of API keys on a real server."""

import hashlib
from pathlib import Path

import pytest

from tests.support.server import Server
from turns.access.api_keys import ApiKeyStore, Scope, check_exposure
from turns.access.key_record import KeyRecord
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError


@pytest.fixture
def api_keys(client: Client) -> ApiKeyStore:
    return ApiKeyStore(client)


def test_a_key_is_shown_once_and_only_its_digest_is_kept(api_keys: ApiKeyStore, server: Server) -> None:
    api_key, made = api_keys.create_key("acme", [Scope.TURNS, Scope.READ])
    assert api_keys.find_key(api_key) == made
    secret = api_key.split("_", 2)[2]
    stored = server.raw.hgetall(keys.API_KEY(made.id))
    assert stored[b"digest"] == hashlib.sha256(secret.encode()).hexdigest().encode()
    assert secret.encode() not in b"".join(stored.values())


def test_two_keys_of_a_tenant_are_valid_at_the_same_time(api_keys: ApiKeyStore) -> None:
    old, old_made = api_keys.create_key("acme", [Scope.TURNS])
    new, _ = api_keys.create_key("acme", [Scope.TURNS])
    assert api_keys.revoke_key(old_made.id)
    assert api_keys.find_key(old) is None
    found = api_keys.find_key(new)
    assert found is not None
    assert found.tenant == "acme"
    assert not api_keys.revoke_key(old_made.id)


def test_an_expired_key_is_removed(api_keys: ApiKeyStore, server: Server) -> None:
    api_key, made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=60)
    assert 0 < server.raw.pttl(keys.API_KEY(made.id)) <= 60_000
    server.raw.pexpire(keys.API_KEY(made.id), 0)
    assert api_keys.find_key(api_key) is None
    assert api_keys.list_keys() == []
    assert server.raw.zcard(keys.API_KEYS.name) == 0


@pytest.mark.parametrize(
    "change", [lambda k: k[:-1] + ("a" if k[-1] != "a" else "b"), lambda k: k + "x", lambda k: "", str.upper]
)
def test_an_almost_correct_key_is_invalid(api_keys: ApiKeyStore, change: object) -> None:
    api_key, _ = api_keys.create_key("acme", [Scope.TURNS])
    assert api_keys.find_key(change(api_key)) is None  # type: ignore[operator]


@pytest.mark.parametrize("tenant", ["", "a/b", "..", "x" * 129, "a b"])
def test_an_invalid_tenant_name_is_refused(api_keys: ApiKeyStore, tenant: str) -> None:
    with pytest.raises(ValueError, match="tenant"):
        api_keys.create_key(tenant, [Scope.TURNS])


def test_after_the_first_key_the_service_stays_locked(api_keys: ApiKeyStore) -> None:
    assert not api_keys.has_keys()
    _, made = api_keys.create_key("acme", [Scope.TURNS])
    api_keys.revoke_key(made.id)
    assert api_keys.has_keys()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104  # the test needs it
def test_a_public_address_needs_a_key_or_explicit_permission(
    api_keys: ApiKeyStore, settings: Settings, host: str
) -> None:
    exposed = settings.model_copy(update={"host": host})
    with pytest.raises(ConfigurationError, match="make key"):
        check_exposure(api_keys, exposed)
    check_exposure(api_keys, exposed.model_copy(update={"allow_open_access": True}))
    check_exposure(api_keys, exposed.model_copy(update={"require_keys": True}))
    api_keys.create_key("acme", [Scope.TURNS])
    check_exposure(api_keys, exposed)


def test_keys_that_a_restored_store_revives_are_revoked_again(
    api_keys: ApiKeyStore, server: Server, tmp_path: Path
) -> None:
    record = KeyRecord(tmp_path)
    assert record.revoke_again(api_keys) == []
    (old, old_made), (kept, _) = (api_keys.create_key("acme", [Scope.TURNS]) for _ in range(2))
    record.require_keys()
    backup = server.raw.dump(keys.API_KEY(old_made.id))
    api_keys.revoke_key(old_made.id)
    record.add_revoked(old_made.id)
    assert record.revoke_again(api_keys) == []
    server.raw.restore(keys.API_KEY(old_made.id), 0, backup)
    assert api_keys.find_key(old) is not None
    assert record.revoke_again(api_keys) == [old_made.id]
    assert api_keys.find_key(old) is None
    assert api_keys.find_key(kept) is not None
