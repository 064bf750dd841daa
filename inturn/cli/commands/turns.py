"""The commands `inturn get`, `inturn retry` and `inturn turns`."""

import click

from inturn.cli.exit_codes import exit_code_for_turn
from inturn.cli.options import Invocation, OrderedGroup, json_option, limit_option, pass_invocation, user_option
from inturn.cli.terminal.answers import print_problem
from inturn.cli.terminal.formatting import format_age, format_status
from inturn.cli.terminal.output import Terminal
from inturn.client import Turn
from inturn.errors import StillRunning
from inturn.values import Status, TurnData


@click.command()
@click.argument("turn_id")
@click.option("--wait", "seconds", type=click.FloatRange(0), metavar="SECONDS", help="Wait this long for its end.")
@json_option
@pass_invocation
@click.pass_context
def get(
    context: click.Context, invocation: Invocation, /, *, turn_id: str, seconds: float | None, as_json: bool
) -> None:
    """Print a turn's answer and status.

    The exit code reflects the status. A live turn counts as success, unless the time of --wait has passed.
    """
    with invocation.client() as client:
        try:
            turn = client.turns.get(turn_id) if seconds is None else client.turns.wait(turn_id, seconds)
        except StillRunning as error:
            _print_turn(invocation.terminal, error.turn, as_json=as_json)
            raise
    _print_turn(invocation.terminal, turn, as_json=as_json)
    print_problem(invocation.terminal, turn)
    context.exit(exit_code_for_turn(turn))


@click.command()
@click.argument("turn_id")
@json_option
@pass_invocation
def retry(invocation: Invocation, /, *, turn_id: str, as_json: bool) -> None:
    """Retry a failed turn.

    Submits its input again as a new turn at the end of the session and prints the new id. Does not wait; use
    `inturn get ID --wait 30` for that.
    """
    with invocation.client() as client:
        turn = client.turns.retry(turn_id)
    invocation.terminal.write_json(turn.raw) if as_json else invocation.terminal.write_line(turn.id)


@click.group(cls=OrderedGroup)
def turns() -> None:
    """List turns."""


@turns.command("ls")
@click.option(
    "--status",
    type=click.Choice(["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"]),
    help="Only turns with this status.",
)
@click.option("-s", "--session", "session_id", metavar="ID", help="Only turns of this session.")
@user_option
@limit_option
@json_option
@pass_invocation
def list_turns(
    invocation: Invocation,
    /,
    *,
    status: Status | None,
    session_id: str | None,
    user_id: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List turns, newest first."""
    with invocation.client() as client:
        found = client.turns.list(status=status, session_id=session_id, user_id=user_id, limit=limit)
        if as_json:
            for turn in found:
                invocation.terminal.write_json(turn.raw)
            return
        invocation.terminal.write_table(["TURN", "SESSION", "STATUS", "AGE", "INPUT"], map(_row, found))


def _row(turn: Turn) -> tuple[str, ...]:
    reason = turn.error.code if turn.error else turn.status_reason
    status = f"{turn.status} ({reason})" if reason else turn.status
    return turn.id, turn.session_id, status, format_age(turn.accepted_at), turn.input


def _print_turn(terminal: Terminal, turn: TurnData, *, as_json: bool) -> None:
    if as_json:
        terminal.write_json(turn.raw)
    elif turn.output is not None:
        terminal.write_line(turn.output)
    if not turn.has_ended:
        terminal.print_error(f"{format_status(turn.status, turn.queue)}.")
    elif turn.finished_at and turn.started_at:
        duration = (turn.finished_at - turn.accepted_at).total_seconds()
        terminal.print_notice(
            f"{turn.status} after {duration:.1f} s, attempt {turn.attempt}, {turn.model}, session {turn.session_id}"
        )
