"""`inturn send`."""

import sys
from typing import Any

import click

from inturn.cli import exit_codes
from inturn.cli.files.last_session import remember
from inturn.cli.options import AboutTheTurn, Invocation, about_the_turn, as_json, pass_invocation
from inturn.cli.terminal.answers import Show, as_events, as_text, explain_end, run_turn, when_ended
from inturn.cli.terminal.output import Terminal


@click.command()
@click.argument("text", required=False)
@about_the_turn
@click.option(
    "--wait", "how", flag_value="wait", help="Write the answer when it is whole. Default where stdout is no terminal."
)
@click.option("--stream", "how", flag_value="stream", help="Write it as it comes. Default on a terminal.")
@click.option("--detach", "how", flag_value="detach", help="Write the turn's id and leave it to run.")
@click.option(
    "--timeout",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="With --wait: leave after so long; the turn goes on.",
)
@click.option("--start-within", type=float, metavar="SECONDS", help="Give the turn up if it has not started by then.")
@as_json
@pass_invocation
@click.pass_context
def send(
    context: click.Context,
    invocation: Invocation,
    /,
    *,
    text: str | None,
    how: str | None,
    timeout: float | None,
    start_within: float | None,
    as_json: bool,
    **about: Any,
) -> None:
    """Send one turn and write its answer. TEXT can be - for stdin.

    Ctrl-C cancels the turn, unless it was detached.

    \b
      inturn send "What does cosine mean?" -v ability=math
      inturn send "What's its inverse" -c           the same session
      id=$(inturn send --detach "…" -v ability=math); inturn get $id --wait 30
    """
    terminal = invocation.terminal
    how = how or ("wait" if timeout or not terminal.shows_data else "stream")
    if timeout and how != "wait":
        raise click.UsageError("--timeout goes with --wait.")
    with invocation.client() as client:
        body = AboutTheTurn(**about).body(client.connection.base_url)
        body["input"] = _text(text, terminal)
        body["start_within_seconds"] = start_within
        if how == "detach":
            turn = client.turns.create(**body)
            terminal.json(turn.raw) if as_json else terminal.line(turn.id)
        else:
            turn = run_turn(client, terminal, body, _show(how, timeout=timeout, as_json=as_json))
            explain_end(terminal, turn)
        remember(client.connection.base_url, body)
    terminal.say(f"Session {turn.session_id}; -c goes on with it.")
    context.exit(exit_codes.of_turn(turn))


def _show(how: str, *, timeout: float | None, as_json: bool) -> Show:
    if how == "wait":
        return when_ended(timeout=timeout, as_json=as_json)
    return as_events if as_json else as_text


def _text(text: str | None, terminal: Terminal) -> str:
    if text not in (None, "-"):
        return str(text)
    if text is None and terminal.has_keyboard:
        raise click.UsageError("What is to be sent? A TEXT, or - and something on stdin.")
    return sys.stdin.read().removesuffix("\n")
