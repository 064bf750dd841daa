"""The command `python -m turns keys` on a real store."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from turns import __main__ as command
from turns.access.audit_log import AuditFilter, AuditLog
from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.turn import Turn
from turns.store.sessions import SessionStore
from turns.store.turns import TurnStore

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Return a function that runs `keys …` and returns the exit code and both outputs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REDIS_URL", settings.redis_url)
    monkeypatch.setattr(command, "KEY_CACHE_SECONDS", 0)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["turns", "keys", *arguments])
        return command.main(), *capsys.readouterr()

    return run


@pytest.fixture
def stored(accept: Callable[..., Turn], store: TurnStore) -> Turn:
    """Return the turn of a session that was stored without a key."""
    return store.cancel(accept().id)


def test_the_first_key_explains_what_becomes_of_stored_sessions(
    run: Run, stored: Turn, store: TurnStore, client: Client
) -> None:
    code, secret, notice = run("create", "acme")
    assert (code, secret.startswith("inturn_")) == (0, True)
    assert notice.startswith("This is the first API key: from now on, each request needs one. The sessions stored so")
    assert f"to give them to it: {command.ADOPT} acme" in notice
    assert "first API key" not in run("create", "acme")[2]
    assert run("adopt", "acme") == (0, "Sessions given to the tenant acme: 1\n", "")
    [adopted] = AuditLog(client).read(AuditFilter(action="adopt_sessions"), limit=10).entries
    assert (adopted.what, adopted.details) == ("acme", {"count": 1})
    assert store.get_turn(stored.id, tenant="acme").id == stored.id


def test_the_first_key_can_adopt_the_stored_sessions(run: Run, stored: Turn, store: TurnStore) -> None:
    code, output, notice = run("create", "acme", "--adopt")
    secret, adopted = output.splitlines()
    assert (code, secret.startswith("inturn_")) == (0, True)
    assert "The sessions stored so far (1) go to the tenant acme." in notice
    assert adopted == "Sessions given to the tenant acme: 1"
    assert store.get_turn(stored.id, tenant="acme").id == stored.id


def test_sessions_are_not_adopted_while_requests_need_no_key(run: Run, stored: Turn, sessions: SessionStore) -> None:
    code, _, error = run("adopt", "acme")
    assert (code, error) == (2, "No API key exists yet: .venv/bin/inturn keys create acme --local --adopt\n")
    assert sessions.count_sessions() == 1


@pytest.mark.parametrize("arguments", [("adopt", "acme"), ("create", "acme", "--adopt")])
def test_sessions_are_not_adopted_without_their_histories(
    run: Run, stored: Turn, sessions: SessionStore, client: Client, *, arguments: tuple[str, ...]
) -> None:
    client.hset(keys.SERVICE.name, "history", "file")  # as the endpoint and the workers have recorded
    code, output, error = run(*arguments)
    assert (code, output, error.startswith("INTURN_HISTORY: ")) == (2, "", True)
    assert sessions.count_sessions() == 1


def test_sessions_that_are_left_are_counted_with_the_reason(
    run: Run, accept: Callable[..., Turn], store: TurnStore
) -> None:
    for tenant in ("-", "acme"):
        store.cancel(accept(tenant=tenant).id, tenant=tenant)
    accept(session_id="busy")
    assert run("create", "acme", "--adopt")[1].splitlines()[1:] == [
        "Sessions given to the tenant acme: 0",
        f"Left, because they have live turns: 1; when these have ended, run: {command.ADOPT} acme",
        "Left, because acme has sessions with the same ids: 1",
    ]


def test_the_revocation_of_the_last_key_says_how_to_go_on(run: Run) -> None:
    assert run("list") == (0, "", "No API key exists, and requests need none.\n")
    ids = [run("create", "acme")[2].splitlines()[-2].split()[0] for _ in range(2)]
    assert run("revoke", ids[0])[2] == ""
    assert run("revoke", ids[1])[2] == f"This was the last one. {command.LOCKED}\n"
    code, listed, notice = run("list")
    assert (code, notice) == (0, f"{command.LOCKED}\n")
    assert {(line.split()[0], line.split()[-1]) for line in listed.splitlines()} == {(key, "revoked") for key in ids}


def test_a_key_has_a_label_and_its_changes_are_in_the_audit_log(run: Run, client: Client) -> None:
    key_id = run("create", "acme", "--label", "the shop")[2].splitlines()[-2].split()[0]
    assert run("list")[1].endswith("until revoked  the shop\n")
    run("revoke", key_id)
    revoked, created = AuditLog(client).read(AuditFilter(), limit=10).entries
    assert (created.action, created.what, created.target_tenant) == ("create_key", key_id, "acme")
    assert created.details == {"scopes": "turns", "label": "the shop"}
    assert (revoked.action, revoked.what, revoked.key_id) == ("revoke_key", key_id, None)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ("create", "acme", "--scopes", "turns,all"),
            "scopes: 'all' is not one of turns, read",
        ),
        (("create", "a b"), "tenant: must be"),
        (("create", "a b", "--adopt"), "tenant: must be"),
        (("revoke", "nonsense"), "there is no key nonsense"),
    ],
)
def test_wrong_arguments_create_nothing(run: Run, arguments: tuple[str, ...], error: str) -> None:
    code, output, found = run(*arguments)
    assert (code, output) == (2, "")
    assert found.splitlines()[-1].startswith(error)
    assert run("list")[2] == "No API key exists, and requests need none.\n"
