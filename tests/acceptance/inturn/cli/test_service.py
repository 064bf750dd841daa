"""The commands that need the service itself, on the machine on which it is."""

from collections.abc import Callable
from pathlib import Path

from inturn.cli.exit_codes import Exit
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack
from tests.support.waiting import wait_until


def test_a_key_is_made_used_seen_and_ended(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=1)
    inturn = Inturn(stack.url, tmp_path, **stack.environment)
    made = inturn("keys", "create", "acme", "--scopes", "turns,read", "--days", "1")
    assert made.returncode == Exit.OK
    api_key = made.stdout.strip()
    wait_until("keys are asked for", lambda: inturn("turns", "ls").returncode != Exit.OK)
    holder = Inturn(stack.url, tmp_path, **stack.environment, INTURN_API_KEY=api_key)
    assert holder("send", "hello", "-v", "ability=math").stdout.startswith("answer to hello")
    listed = inturn("keys", "ls").stdout
    assert "acme" in listed
    assert api_key not in listed
    assert inturn("keys", "revoke", listed.split()[0]).returncode == Exit.OK
    wait_until("it works no more", lambda: holder("turns", "ls").returncode != Exit.OK)


def test_the_doctor_says_what_is_wrong(start: Callable[..., Stack], tmp_path: Path) -> None:
    stack = start(workers=0)
    seen = Inturn(stack.url, tmp_path, **stack.environment)("doctor")
    assert seen.returncode == 1
    assert "wrong   workers" in seen.stdout
