"""The command `inturn send`."""

import json
import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, TextIO

import click

from inturn.cli.exit_codes import exit_code_for_turn
from inturn.cli.files.last_session import save_last_session
from inturn.cli.options import Invocation, TurnArguments, json_option, pass_invocation, turn_options
from inturn.cli.terminal.answers import (
    AnswerPrinter,
    print_problem,
    print_when_ended,
    run_turn,
    stream_json,
    stream_text,
)
from inturn.cli.terminal.output import Terminal
from inturn.client import Client
from inturn.parts import PartBody


@click.command()
@click.argument("text", required=False)
@turn_options
@click.option(
    "--wait", "mode", flag_value="wait", help="Print the complete answer. Default if stdout is not a terminal."
)
@click.option(
    "--stream", "mode", flag_value="stream", help="Print the answer while it is generated. Default on a terminal."
)
@click.option("--detach", "mode", flag_value="detach", help="Print the turn's id and exit; the turn continues.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="With --wait: exit after this time; the turn continues.",
)
@click.option(
    "--events", "with_events", is_flag=True, help="With --stream: print tools, reasoning and data to stderr too."
)
@click.option(
    "--schema",
    type=click.File(encoding="utf-8"),
    metavar="FILE",
    help="File with a JSON schema that the answer must have.",
)
@click.option(
    "--image",
    "--file",
    "attachments",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False),
    help="Image or document to upload and send with the text; repeatable.",
)
@click.option("--start-within", type=float, metavar="SECONDS", help="Drop the turn if it has not started by then.")
@json_option
@pass_invocation
@click.pass_context
def send(
    context: click.Context,
    invocation: Invocation,
    /,
    *,
    text: str | None,
    mode: str | None,
    timeout: float | None,
    start_within: float | None,
    with_events: bool,
    schema: TextIO | None,
    attachments: tuple[str, ...],
    as_json: bool,
    **arguments: Any,
) -> None:
    """Send one turn and print its answer. TEXT can be - for stdin.

    Ctrl-C cancels the turn, except with --detach.

    \b
      inturn send "What does cosine mean?"
      inturn send "What's its inverse" -c           the same session
      inturn send "What is a fugue?" -a example -v ability=music
      inturn send "What is this?" -a vision --image cat.png
      id=$(inturn send --detach "…"); inturn get $id --wait 30
    """
    terminal = invocation.terminal
    mode = mode or ("wait" if timeout or not terminal.stdout_is_terminal else "stream")
    if timeout and mode != "wait":
        raise click.UsageError("--timeout requires --wait.")
    if with_events and mode != "stream":
        raise click.UsageError("--events requires --stream.")
    with invocation.client() as client:
        body = TurnArguments(**arguments).to_body(client.connection.base_url)
        body["input"] = _with_files(client, _read_text(text, terminal), attachments, body.get("user_id"))
        body["start_within_seconds"] = start_within
        body["response_format"] = _read_schema(schema) if schema else None
        if mode == "detach":
            turn = client.turns.create(**body)
            terminal.write_json(turn.raw) if as_json else terminal.write_line(turn.id)
        else:
            turn = run_turn(
                client, terminal, body, _printer(mode, timeout=timeout, with_events=with_events, as_json=as_json)
            )
            print_problem(terminal, turn)
        save_last_session(client.connection.base_url, body)
    terminal.print_notice(f"Session {turn.session_id}. Continue it with -c.")
    context.exit(exit_code_for_turn(turn))


def _read_schema(file: TextIO) -> dict[str, Any]:
    try:
        schema = json.load(file)
    except ValueError as error:
        raise click.UsageError(f"--schema {file.name} is not JSON: {error}") from None
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _printer(mode: str, *, timeout: float | None, with_events: bool, as_json: bool) -> AnswerPrinter:
    if mode == "wait":
        return print_when_ended(timeout=timeout, as_json=as_json)
    return stream_json if as_json else partial(stream_text, with_events=with_events)


def _with_files(client: Client, text: str, paths: Sequence[str], user_id: str | None) -> str | list[PartBody]:
    """Upload the files; return the text, or a list of parts if there are files."""
    if not paths:
        return text
    uploaded = [client.files.upload(path, user_id=user_id).part for path in paths]
    return [*([PartBody(type="text", text=text)] if text else []), *uploaded]


def _read_text(text: str | None, terminal: Terminal) -> str:
    if text not in (None, "-"):
        return str(text)
    if text is None and terminal.stdin_is_terminal:
        raise click.UsageError("Nothing to send. Pass TEXT, or use - to read from stdin.")
    return sys.stdin.read().removesuffix("\n")
