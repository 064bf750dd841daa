"""`inturn get`, `cancel`, `retry` and `turns`: what can be done about turns whose ids are known."""

from datetime import UTC, datetime

import click

from inturn.cli import exit_codes
from inturn.cli.options import InOrder, Invocation, as_json, pass_invocation, user
from inturn.cli.terminal.answers import explain_end
from inturn.cli.terminal.output import Terminal
from inturn.cli.terminal.spinner import in_words
from inturn.client import Turn
from inturn.errors import StillRunning
from inturn.values import Status, TurnData


@click.command()
@click.argument("turn_id")
@click.option("--wait", "seconds", type=click.FloatRange(0), metavar="SECONDS", help="Wait for its end, for so long.")
@as_json
@pass_invocation
@click.pass_context
def get(
    context: click.Context, invocation: Invocation, /, *, turn_id: str, seconds: float | None, as_json: bool
) -> None:
    """Write a turn's answer, and say how the turn is.

    The exit code tells the same as the words; a turn that runs or waits is well, unless --wait was over.
    """
    with invocation.client() as client:
        try:
            turn = client.turns.get(turn_id) if seconds is None else client.turns.wait(turn_id, seconds)
        except StillRunning as error:
            _write(invocation.terminal, error.turn, as_json=as_json)
            raise
    _write(invocation.terminal, turn, as_json=as_json)
    explain_end(invocation.terminal, turn)
    context.exit(exit_codes.of_turn(turn))


@click.command()
@click.argument("turn_ids", nargs=-1, required=True, metavar="TURN_ID…")
@as_json
@pass_invocation
def cancel(invocation: Invocation, /, *, turn_ids: tuple[str, ...], as_json: bool) -> None:
    """End turns without effect. One that has ended stays as it is.

    Writes each turn's id and its status.
    """
    with invocation.client() as client:
        for turn_id in turn_ids:
            turn = client.turns.cancel(turn_id)
            invocation.terminal.json(turn.raw) if as_json else invocation.terminal.line(f"{turn.id}\t{turn.status}")


@click.command()
@click.argument("turn_id")
@as_json
@pass_invocation
def retry(invocation: Invocation, /, *, turn_id: str, as_json: bool) -> None:
    """Ask again what a failed turn asked.

    The new turn is the last of its session. Writes its id and does not wait: `inturn get ID --wait 30` does.
    """
    with invocation.client() as client:
        turn = client.turns.retry(turn_id)
    invocation.terminal.json(turn.raw) if as_json else invocation.terminal.line(turn.id)


@click.group(cls=InOrder)
def turns() -> None:
    """Look at turns."""


@turns.command("ls")
@click.option(
    "--status",
    type=click.Choice(["queued", "in_progress", "completed", "failed", "cancelled", "incomplete"]),
    help="Only those.",
)
@click.option("-s", "--session", "session_id", metavar="ID", help="Only those of this session.")
@user
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@as_json
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
    """List turns, the newest first."""
    with invocation.client() as client:
        found = client.turns.list(status=status, session_id=session_id, user_id=user_id, limit=limit)
        if as_json:
            for turn in found:
                invocation.terminal.json(turn.raw)
            return
        invocation.terminal.table(["TURN", "SESSION", "STATUS", "AGE", "ASKED"], map(row, found))


def row(turn: Turn) -> tuple[str, ...]:
    why = turn.error.code if turn.error else turn.status_reason
    status = f"{turn.status} ({why})" if why else turn.status
    return turn.id, turn.session_id, status, age(turn.accepted_at), turn.input


def age(since: datetime) -> str:
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _write(terminal: Terminal, turn: TurnData, *, as_json: bool) -> None:
    if as_json:
        terminal.json(turn.raw)
    elif turn.output is not None:
        terminal.line(turn.output)
    if not turn.has_ended:
        terminal.complain(f"{in_words(turn.status, turn.queue)}.")
    elif turn.finished_at and turn.started_at:
        took = (turn.finished_at - turn.accepted_at).total_seconds()
        terminal.say(
            f"{turn.status} after {took:.1f} s, attempt {turn.attempt}, {turn.model}, session {turn.session_id}"
        )
