"""Questions without an answer are shown at their places between the messages."""

from typing import Any

import pytest

from inturn.cli.commands.sessions import merge
from inturn.cli.terminal.formatting import format_entry
from inturn.cli.terminal.output import Terminal
from inturn.protocol.parsing import to_unanswered
from inturn.values import Message


def message(number: int, content: str) -> Message:
    role: Any = "assistant" if number % 2 == 0 else "user"
    return Message(number=number, role=role, content=content, turn_id=None, created_at=None, metadata={}, raw={})


def question(after: int, content: str, code: str | None = None) -> Any:
    error = {"code": code, "message": "…"} if code else None
    body = {"turn_id": "turn_1", "after": after, "content": content, "truncated": False, "error": error}
    return to_unanswered({**body, "status": "failed" if code else "cancelled", "accepted_at": None})


def test_unanswered_questions_follow_the_message_before_them() -> None:
    messages = [message(number, f"m{number}") for number in (1, 2, 3, 4)]
    unanswered = [question(0, "first", "provider_error"), question(2, "stopped")]
    shown = "\n".join(map(format_entry, merge(messages, unanswered)))
    assert shown == "> first\n! failed (provider_error)\n> m1\n< m2\n> stopped\n! cancelled\n> m3\n< m4"
    assert [format_entry(entry) for entry in merge(messages[2:], unanswered)] == [
        "> stopped\n! cancelled",
        "> m3",
        "< m4",
    ]
    assert len(merge([], unanswered)) == 2


def test_a_terminal_without_rows_gets_a_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    terminal = Terminal()
    terminal.stdout_is_terminal = terminal.stderr_is_terminal = True
    terminal.write_table(["A"], [], if_empty="Nothing is paused.")
    assert capsys.readouterr() == ("", "Nothing is paused.\n")
    terminal.stderr_is_terminal = False
    terminal.write_table(["A"], [])
    assert capsys.readouterr() == ("", "")
