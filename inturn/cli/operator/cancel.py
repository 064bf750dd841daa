"""The command `inturn cancel`."""

from typing import Any

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.operator import bulk
from inturn.cli.options import Invocation, pass_invocation


@click.command()
@click.argument("turn_ids", nargs=-1, metavar="[TURN_ID]…")
@bulk.conditions
@click.option("--status", type=click.Choice(["queued", "in_progress"]), help="Only turns with this status.")
@bulk.bulk_options
@pass_invocation
def cancel(invocation: Invocation, /, *, turn_ids: tuple[str, ...], as_json: bool, **given: Any) -> int:
    """Cancel turns. Turns that have already ended stay as they are.

    With ids: prints the id and status of each turn of the key's tenant. Otherwise all live turns that match, of all
    tenants: needs a key with the scope `operator`, asks for confirmation, and shows the progress of the job. The exit
    code is 4 if that was stopped.
    """
    if not turn_ids:
        return bulk.run(invocation, "cancel", as_json=as_json, **given)
    if bulk.has_conditions(given):
        raise click.UsageError("Give ids of turns, or conditions.")
    terminal = invocation.terminal
    with invocation.client() as client:
        for turn_id in turn_ids:
            turn = client.turns.cancel(turn_id)
            terminal.write_json(turn.raw) if as_json else terminal.write_line(f"{turn.id}\t{turn.status}")
    return Exit.OK
