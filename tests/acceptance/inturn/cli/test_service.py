"""The commands that need the service on the same machine."""

from collections.abc import Callable
from pathlib import Path

from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack
from tests.support.waiting import wait_until


def test_a_key_is_created_used_listed_and_revoked(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=1)
    inturn = Inturn(stack.url, tmp_path, **stack.environment)
    created = inturn("keys", "create", "acme", "--scopes", "turns,read", "--days", "1")
    assert created.returncode == Exit.OK
    api_key = created.stdout.strip()
    wait_until("the service requires a key", lambda: inturn("turns", "ls").returncode != Exit.OK)
    holder = Inturn(stack.url, tmp_path, **stack.environment, INTURN_API_KEY=api_key)
    assert holder("send", "hello").stdout.startswith("answer to hello")
    listed = inturn("keys", "ls").stdout
    assert "acme" in listed
    assert api_key not in listed
    assert inturn("keys", "revoke", listed.split()[0]).returncode == Exit.OK
    wait_until("the key is refused", lambda: holder("turns", "ls").returncode != Exit.OK)


def test_the_doctor_reports_a_problem(tmp_path: Path) -> None:
    report = Inturn("http://127.0.0.1:1", tmp_path, REDIS_URL="unix:///nowhere")("doctor")
    assert report.returncode == 1
    assert "wrong   store" in report.stdout
