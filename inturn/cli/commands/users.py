"""The command group `inturn users`."""

import json
from collections.abc import Iterator
from pathlib import Path

import click

from inturn.cli.options import Invocation, OrderedGroup, json_option, pass_invocation
from inturn.values import Json


@click.group(cls=OrderedGroup)
def users() -> None:
    """Export and erase what a user has."""


@users.command()
@click.argument("user_id")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Output file.  [stdout]")
@pass_invocation
def export(invocation: Invocation, /, *, user_id: str, output: Path | None) -> None:
    """Write the sessions, messages and turns of a user as JSON, one object per line."""
    with invocation.client() as client:
        items = client.users.export(user_id)
        if output:
            _write_file(output, items)
            return
        for item in items:
            invocation.terminal.write_json(item)


@users.command()
@click.argument("user_ids", nargs=-1, required=True, metavar="USER_ID…")
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@pass_invocation
def rm(invocation: Invocation, /, *, user_ids: tuple[str, ...], yes: bool, as_json: bool) -> None:
    """Erase users with all of their sessions, turns and results, and their names in the sums of usage.

    Live turns are cancelled. This cannot be undone.
    """
    terminal = invocation.terminal
    if not yes and not terminal.stdin_is_terminal:
        raise click.UsageError("Cannot ask for confirmation without a terminal; use --yes to erase without asking.")
    if not yes:
        click.confirm(f"Erase all that {', '.join(user_ids)} has?", abort=True, err=True)
    with invocation.client() as client:
        for user_id in user_ids:
            receipt = client.users.delete(user_id)
            if as_json:
                terminal.write_json(receipt)
            else:
                terminal.write_line(f"Erased {user_id}: {receipt['sessions']} sessions, {receipt['turns']} turns.")


def _write_file(output: Path, items: Iterator[Json]) -> None:
    """Write the items to a file, which gets its name when all of them are there."""
    part = output.with_name(f"{output.name}.part")
    with part.open("w", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(item)}\n" for item in items)
    part.replace(output)
