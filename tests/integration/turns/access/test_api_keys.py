"""Tests of API keys on a real server."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import Server
from turns.access.api_key import KeyState, Scope
from turns.access.api_keys import ENDED_SECONDS, ApiKeyStore
from turns.access.exposure import check_exposure
from turns.access.key_record import KeyRecord
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, KeyExists, KeyNotActive, KeyNotFound


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
    assert api_keys.revoke_key(old_made.id).state is KeyState.REVOKED
    assert api_keys.find_key(old) is None
    found = api_keys.find_key(new)
    assert found is not None
    assert found.tenant == "acme"


def test_an_expired_key_is_refused_and_stays_listed(api_keys: ApiKeyStore, server: Server) -> None:
    api_key, made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=60, label="ci")
    assert 0 < server.raw.pttl(keys.API_KEY(made.id)) <= 60_000
    assert ENDED_SECONDS < server.raw.ttl(keys.KEY_INFO(made.id)) <= ENDED_SECONDS + 60
    server.raw.pexpire(keys.API_KEY(made.id), 0)
    assert api_keys.find_key(api_key) is None
    assert api_keys.list_keys() == []
    [listed] = api_keys.list_all()
    assert listed == replace(made, state=KeyState.EXPIRED)


def test_a_revoked_key_stays_listed_for_a_while(api_keys: ApiKeyStore, server: Server) -> None:
    admin = api_keys.create_key("ops", [Scope.ADMIN])[1].id
    made = api_keys.create_key("acme", [Scope.TURNS], label="shop", created_by=admin)[1]
    server.raw.hset(keys.KEY_USES.name, made.id, 17)
    revoked = api_keys.revoke_key(made.id, by=admin)
    assert revoked.revoked_at is not None
    assert revoked == replace(
        made, state=KeyState.REVOKED, revoked_at=revoked.revoked_at, revoked_by=admin, last_used_at=17
    )
    assert api_keys.revoke_key(made.id, by="another") == revoked, "the second time changes nothing"
    assert api_keys.get_key(made.id) == revoked
    assert not server.raw.exists(keys.API_KEY(made.id))
    server.raw.pexpire(keys.KEY_INFO(made.id), 0)
    assert [key.id for key in api_keys.list_all()] == [admin]
    assert not server.raw.hexists(keys.KEY_USES.name, made.id)
    with pytest.raises(KeyNotFound):
        api_keys.revoke_key(made.id)


def test_a_key_of_an_earlier_release_is_listed_and_revoked(api_keys: ApiKeyStore, server: Server) -> None:
    made = api_keys.create_key("acme", [Scope.TURNS])[1]
    server.raw.delete(keys.KEY_INFO(made.id))
    assert api_keys.list_keys() == [made]
    assert api_keys.revoke_key(made.id).tenant == "acme"
    assert [key.state for key in api_keys.list_all()] == [KeyState.REVOKED]


def test_an_id_is_used_once(api_keys: ApiKeyStore) -> None:
    first, made = api_keys.create_key("acme", [Scope.TURNS], key_id="0" * 12)
    with pytest.raises(KeyExists):
        api_keys.create_key("other", [Scope.OPERATOR], key_id="0" * 12)
    with pytest.raises(KeyExists):
        api_keys.rotate_key(made.id, overlap_seconds=0, new_id="0" * 12)
    assert api_keys.find_key(first) == made


def test_a_rotated_key_works_during_the_overlap_only(api_keys: ApiKeyStore, server: Server) -> None:
    old, made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=1000, label="shop")
    new, successor, ending = api_keys.rotate_key(made.id, overlap_seconds=60, by="admin")
    found = api_keys.find_key(new)
    assert found is not None
    assert (found.tenant, found.scopes) == (made.tenant, made.scopes)
    assert (successor.label, successor.replaces, successor.created_by) == ("shop", made.id, "admin")
    assert successor.expires_at == successor.created_at + 1_000_000
    assert api_keys.find_key(old) is not None
    assert 0 < server.raw.pttl(keys.API_KEY(made.id)) <= 60_000
    assert (ending.replaced_by, ending.expires_at) == (successor.id, successor.created_at + 60_000)
    assert api_keys.get_key(made.id) == ending
    server.raw.pexpire(keys.API_KEY(made.id), 0)
    assert api_keys.find_key(old) is None
    with pytest.raises(KeyNotActive):
        api_keys.rotate_key(made.id, overlap_seconds=60)


def test_a_second_rotation_gives_the_lifetime_of_the_key(api_keys: ApiKeyStore) -> None:
    made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=1000)[1]
    endless = api_keys.create_key("acme", [Scope.TURNS])[1]
    for key in (made, endless):
        api_keys.rotate_key(key.id, overlap_seconds=60)
    second = api_keys.rotate_key(made.id, overlap_seconds=60)[1]
    assert second.expires_at == second.created_at + 1_000_000
    assert api_keys.rotate_key(endless.id, overlap_seconds=60)[1].expires_at is None


def test_a_repeated_rotation_says_that_the_successor_exists(api_keys: ApiKeyStore) -> None:
    made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=1000)[1]
    lost = api_keys.rotate_key(made.id, overlap_seconds=0, new_id="0" * 12)[1]
    with pytest.raises(KeyExists):
        api_keys.rotate_key(made.id, overlap_seconds=0, new_id=lost.id)
    assert api_keys.get_key(lost.id) == lost
    with pytest.raises(KeyNotActive):
        api_keys.rotate_key(made.id, overlap_seconds=0, new_id="1" * 12)


def test_commands_that_are_sent_twice_create_one_key(
    api_keys: ApiKeyStore, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    execute = client.execute_command
    execute_many = client.execute_many

    def send_twice(*command: Any, **options: Any) -> Any:
        execute(*command, **options)
        return execute(*command, **options)

    def send_many_twice(commands: Any, **options: Any) -> list[Any]:
        execute_many(commands, **options)
        return execute_many(commands, **options)

    monkeypatch.setattr(client, "execute_command", send_twice)
    monkeypatch.setattr(client, "execute_many", send_many_twice)
    text, made = api_keys.create_key("acme", [Scope.TURNS])
    successor, new, _ = api_keys.rotate_key(made.id, overlap_seconds=60)
    assert api_keys.find_key(text) == made
    assert api_keys.find_key(successor) is not None
    assert {key.id for key in api_keys.list_keys()} == {new.id, made.id}


def test_a_rotation_never_prolongs_a_key(api_keys: ApiKeyStore, server: Server) -> None:
    made = api_keys.create_key("acme", [Scope.TURNS], lifetime_seconds=60)[1]
    ending = api_keys.rotate_key(made.id, overlap_seconds=1000)[2]
    assert ending.expires_at == made.expires_at
    assert server.raw.pttl(keys.API_KEY(made.id)) <= 60_000


def test_a_rotation_without_an_overlap_ends_the_key_at_once(api_keys: ApiKeyStore) -> None:
    old, made = api_keys.create_key("acme", [Scope.TURNS])
    new, _, _ = api_keys.rotate_key(made.id, overlap_seconds=0)
    assert api_keys.find_key(old) is None
    assert api_keys.find_key(new) is not None


def test_pages_of_keys_are_newest_first_and_end(api_keys: ApiKeyStore, server: Server) -> None:
    made = [api_keys.create_key(f"t{n % 2}", [Scope.TURNS], key_id=f"{n:012x}")[1] for n in range(5)]
    server.raw.zadd(keys.API_KEYS.name, {key.id: n for n, key in enumerate(made)})
    first = api_keys.list_page(limit=3)
    assert first.after is not None
    rest = api_keys.list_page(after=first.after, limit=3)
    assert [int(key.id, 16) for key in (*first.keys, *rest.keys)] == [4, 3, 2, 1, 0]
    assert rest.after is None
    assert [int(key.id, 16) for key in api_keys.list_page(tenant="t1", limit=5).keys] == [3, 1]


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


@pytest.mark.parametrize("label", ["x" * 101, "a\x1b[2J", "two\nlines"])
def test_a_label_that_cannot_be_printed_is_refused(api_keys: ApiKeyStore, label: str) -> None:
    with pytest.raises(ValueError, match="label: must be at most 100 printable"):
        api_keys.create_key("acme", [Scope.TURNS], label=label)


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


def test_a_rotated_key_that_a_restored_store_revives_ends_again(
    api_keys: ApiKeyStore, server: Server, tmp_path: Path
) -> None:
    record = KeyRecord(tmp_path)
    record.require_keys()
    (_, early), (_, late) = (api_keys.create_key("acme", [Scope.TURNS]) for _ in range(2))
    record.add_rotated(early.id, ends_at=1)
    later = late.created_at + 60_000
    record.add_rotated(late.id, ends_at=later)
    assert record.revoke_again(api_keys) == [early.id]
    assert server.raw.pexpiretime(keys.API_KEY(late.id)) == later
