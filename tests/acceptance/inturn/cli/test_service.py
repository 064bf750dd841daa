"""The commands that need the service on the same machine."""

from collections.abc import Callable
from pathlib import Path

from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until


def test_the_first_key_is_local_and_manages_the_others(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=1)
    local = Inturn(stack.url, tmp_path, **stack.environment)
    refused = local("keys", "create", "acme")
    assert refused.returncode == Exit.REFUSED
    assert "Create the first one on its machine" in refused.stderr
    created = local("keys", "create", "ops", "--local", "--scopes", "admin,operator", "--label", "my shell")
    assert created.returncode == Exit.OK
    admin = Inturn(stack.url, tmp_path, INTURN_API_KEY=created.stdout.strip())
    wait_until("the service requires a key", lambda: local("turns", "ls").returncode != Exit.OK)

    first = admin("keys", "create", "acme", "--label", "shop", "--days", "1").stdout.strip()
    assert Inturn(stack.url, tmp_path, INTURN_API_KEY=first)("send", "hello").stdout.startswith("answer to hello")
    second = admin("keys", "rotate", first.split("_")[1], "--now").stdout.strip()
    wait_until("the old key is refused", lambda: call(f"{stack.url}/v1/turns", api_key=first).status == 401)
    waiting = turn_request("s", "hello [gate never]")
    assert call(f"{stack.url}/v1/turns", method="POST", body=waiting, api_key=second).status == 202
    revoked = admin("keys", "revoke", second.split("_")[1], "--cancel", "--reason", "leaked")
    assert revoked.stdout.splitlines() == [f"{second.split('_')[1]} is revoked", "Cancelled turns: 1"]

    rows = [line.split("\t") for line in admin("keys", "ls").stdout.splitlines()]
    assert [(row[1], row[3], row[-1]) for row in rows] == [
        ("acme", "revoked", "shop"),
        ("acme", "expired", "shop"),
        ("ops", "active", "my shell"),
    ]
    assert local("keys", "ls", "--local").stdout.count("\n") == 3
    acts = [line.split("\t") for line in admin("audit", "--tenant", "acme", "--since", "1h").stdout.splitlines()]
    assert [(act[3], act[-1]) for act in acts] == [("revoke_key", "leaked"), ("rotate_key", ""), ("create_key", "")]
    assert '"action": "wrong_key"' in admin("audit", "--refused", "--json").stdout
    for secret in (first, second):
        assert secret.split("_", 2)[2] not in stack.logs() + str(rows) + str(acts)


def test_the_doctor_reports_a_problem(tmp_path: Path) -> None:
    report = Inturn("http://127.0.0.1:1", tmp_path, REDIS_URL="unix:///nowhere")("doctor")
    assert report.returncode == 1
    assert "wrong   store" in report.stdout
