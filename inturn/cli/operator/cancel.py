"""The command `inturn cancel`."""

from typing import Any
from urllib.parse import quote

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.operator import bulk
from inturn.cli.options import Invocation, pass_invocation, refuse_options
from inturn.client import Client
from inturn.errors import Forbidden, TurnNotFound
from inturn.values import Json


@click.command()
@click.argument("turn_ids", nargs=-1, metavar="[TURN_ID]…")
@click.option("--keep", is_flag=True, help="Keep the question and the partial answer of a running turn.")
@bulk.conditions
@click.option("--status", type=click.Choice(["queued", "in_progress"]), help="Only turns with this status.")
@bulk.bulk_options
@pass_invocation
def cancel(invocation: Invocation, /, *, turn_ids: tuple[str, ...], keep: bool, as_json: bool, **given: Any) -> int:
    """Cancel turns. Turns that have already ended stay as they are.

    With ids: prints the id and status of each turn. Turns of other tenants, and `--reason`, need a
    key with the scope `operator`. Otherwise all live turns that match, of all tenants: needs such a key, asks for
    confirmation, and shows the progress of the job. The exit code is 4 if that was stopped.
    """
    if keep and (not turn_ids or given["reason"]):
        raise click.UsageError("--keep needs ids of turns, and no --reason.")
    if not turn_ids:
        return bulk.run(invocation, "cancel", as_json=as_json, **given)
    if bulk.has_conditions(given):
        raise click.UsageError("Give ids of turns, or conditions.")
    unused = {"--per-second": given["per_second"], "--no-wait": given["no_wait"], "--yes": given["yes"]}
    refuse_options(unused, "has no effect with ids of turns.")
    terminal = invocation.terminal
    with invocation.client() as client:
        for turn_id in turn_ids:
            turn = _cancel(client, turn_id, keep=keep, reason=given["reason"])
            terminal.write_json(turn) if as_json else terminal.write_line(f"{turn['id']}\t{turn['status']}")
    return Exit.OK


def _cancel(client: Client, turn_id: str, *, keep: bool, reason: str | None) -> Json:
    """Cancel a turn and return it. An operator's key may cancel turns of all tenants, and records the reason."""
    if reason:
        return _cancel_as_operator(client, turn_id, reason)
    try:
        return client.turns.cancel(turn_id, keep=keep).raw
    except (Forbidden, TurnNotFound) as refusal:
        if keep:
            raise
        try:
            return _cancel_as_operator(client, turn_id, None)
        except Forbidden:  # no operator's key, so the first answer is the one that helps
            raise refusal from None


def _cancel_as_operator(client: Client, turn_id: str, reason: str | None) -> Json:
    path = f"turns/{quote(turn_id, safe='')}/cancel"
    return client.operator.call("POST", path, query={"reason": reason})
