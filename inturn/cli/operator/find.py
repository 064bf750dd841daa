"""The command `inturn find`."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.options import Invocation, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age

COLUMNS = ["TURN", "TENANT", "USER", "STATUS", "AGE", "SESSION"]
NO_VALUE = "-"


@click.command()
@click.argument("text")
@json_option
@pass_invocation
def find(invocation: Invocation, /, *, text: str, as_json: bool) -> int:
    """Find what TEXT names, and its last turns, live and ended, of all tenants.

    TEXT is the id of a turn, session, user, request or trace, the name of a tenant, or an idempotency key. The request
    id of an error that a user reports leads to its turn. Message texts are never shown. Needs a key with the scope
    `operator`, `observer` or `admin`. The exit code is 6 if nothing was found.
    """
    with invocation.client() as client:
        answer: Any = client.operator.call("GET", "search", query={"q": text})
    terminal, found = invocation.terminal, bool(answer["findings"])
    if as_json:
        terminal.write_json(answer)
    elif found:
        for finding in answer["findings"]:
            terminal.write_line(finding["sentence"])
        terminal.write_table(COLUMNS, _rows(answer["findings"]))
    else:
        terminal.print_error("\n".join([answer["sentence"], *_suggestions(answer["suggestions"])]))
    return Exit.OK if found else Exit.REFUSED


def _rows(findings: list[Any]) -> Iterator[tuple[str, ...]]:
    turns = {turn["id"]: turn for finding in findings for turn in finding["turns"]}
    for turn in turns.values():
        status = f"{turn['status']} ({turn['code']})" if turn["code"] else turn["status"]
        age = format_age(datetime.fromisoformat(turn["accepted_at"]))
        yield turn["id"], turn["tenant"], turn["user_id"] or NO_VALUE, status, age, turn["session_id"]


def _suggestions(suggestions: list[Any]) -> Iterator[str]:
    if suggestions:
        yield "Names that contain it:"
    for suggestion in suggestions:
        user = f" of user {suggestion['user_id']}" if suggestion["user_id"] else ""
        yield f"  {suggestion['kind']} {suggestion['id']}{user}"
