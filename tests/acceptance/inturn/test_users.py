"""Export and erasure of users, with the client, the command and plain HTTP."""

import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from inturn import Client, TurnNotFound
from tests.acceptance.inturn.cli.runner import Inturn
from tests.support.processes import Stack, call


@pytest.fixture
def alice(stack: Stack) -> str:
    """Give a user two sessions, one with a cancelled turn; return the user's id."""
    user = "https://idp.example/alice"
    stack.wait_until_finished(stack.submit("a", "hello", user_id=user))
    stack.wait_until_finished(stack.submit("b", "hello", user_id=user))
    cancelled = stack.submit("b", "hello [gate never]", user_id=user)
    call(f"{stack.url}/v1/turns/{cancelled}/cancel", method="POST")
    return user


def test_a_user_is_exported_and_erased(stack: Stack, alice: str, inturn: Inturn) -> None:
    stack.wait_until_finished(stack.submit("a", "hello", user_id="bob"))
    exported = inturn("users", "export", alice)
    kinds = [json.loads(line)["object"] for line in exported.stdout.splitlines()]
    first, second = ["session", "message", "message"], ["session", "message", "message", "unanswered_question"]
    assert kinds == [*first, "turn", *second, "turn", "turn"]
    with Client(stack.url) as client:
        items = list(client.users.export(alice))
        assert [item["object"] for item in items] == kinds
        turns = [item["id"] for item in items if item["object"] == "turn"]
        receipt = client.users.delete(alice)
        assert (receipt["status"], receipt["sessions"], receipt["turns"]) == ("completed", 2, 3)
        assert client.users.delete(alice) == receipt
        assert list(client.users.export(alice)) == []
        assert list(client.sessions.list(user_id=alice)) == []
        for turn in turns:
            with pytest.raises(TurnNotFound):
                client.turns.get(turn)
        assert [session.session_id for session in client.sessions.list(user_id="bob")] == ["a"]
    assert inturn("users", "rm", "bob", "--yes").stdout == "Erased bob: 1 sessions, 1 turns.\n"


def test_the_last_line_of_an_export_has_its_numbers(stack: Stack, alice: str) -> None:
    url = f"{stack.url}/v1/users/{quote(alice, safe='')}/export"
    with urllib.request.urlopen(url) as response:
        assert response.headers["Content-Type"] == "application/x-ndjson"
        lines: list[dict[str, Any]] = [json.loads(line) for line in response]
    counts = {"sessions": 2, "messages": 4, "unanswered_questions": 1, "turns": 3}
    assert lines[-1] == {"object": "end", **counts, "missing_partitions": []}


def test_the_command_writes_an_export_to_a_file(alice: str, inturn: Inturn, tmp_path: Path) -> None:
    inturn("users", "export", alice, "-o", str(tmp_path / "alice.jsonl"))
    assert [path.name for path in tmp_path.iterdir()] == ["alice.jsonl"]
    lines = (tmp_path / "alice.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["object"] for line in lines} == {"session", "message", "unanswered_question", "turn"}
