"""The command group `inturn failed`."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import click

from inturn.cli.operator import bulk
from inturn.cli.options import Invocation, OrderedGroup, json_option, limit_option, pass_invocation
from inturn.cli.terminal.formatting import format_age
from inturn.client import Client

PAGE = 100
COLUMNS = ["TURN", "TENANT", "USER", "CODE", "FAILED", "MODEL", "SESSION"]
NO_VALUE = "-"

code_option = click.option("--code", metavar="CODE", help="Turns that failed with this code.")
turn_ids_argument = click.argument("turn_ids", nargs=-1, metavar="[TURN_ID]…")


@click.group(cls=OrderedGroup)
def failed() -> None:
    """List, retry and discard failed turns of all tenants. Needs a key with the scope `operator`."""


@failed.command("ls")
@code_option
@bulk.conditions
@limit_option
@json_option
@pass_invocation
def list_failed(invocation: Invocation, /, *, limit: int, as_json: bool, **given: str | None) -> None:
    """List failed turns that were neither retried nor discarded, newest first."""
    with invocation.client() as client:
        found = islice(_read_pages(client, bulk.to_query(given)), limit)
        if as_json:
            for turn in found:
                invocation.terminal.write_json(turn)
            return
        invocation.terminal.write_table(COLUMNS, map(_row, found), if_empty="No failed turn is unresolved.")


@failed.command()
@turn_ids_argument
@code_option
@bulk.conditions
@click.option(
    "--include-poison", is_flag=True, help="Also turns with the code worker_lost, which probably end their workers."
)
@bulk.bulk_options
@pass_invocation
def retry(invocation: Invocation, /, *, turn_ids: tuple[str, ...], **given: Any) -> int:
    """Retry failed turns: those with these ids, or all that match.

    Each is submitted again as the last turn of its session, once. Turns that fail after the confirmation are left out.
    Waits for the end of the job; the exit code is 6 if some turns could not be retried, 4 if it was stopped.
    """
    return bulk.run(invocation, "retry", turn_ids=turn_ids, **given)


@failed.command()
@turn_ids_argument
@code_option
@bulk.conditions
@bulk.bulk_options
@pass_invocation
def discard(invocation: Invocation, /, *, turn_ids: tuple[str, ...], **given: Any) -> int:
    """Discard failed turns: those with these ids, or all that match.

    They are no longer listed; their records stay until they expire. `inturn jobs undo` puts them back, for a day.
    """
    return bulk.run(invocation, "discard", turn_ids=turn_ids, **given)


def _read_pages(client: Client, query: dict[str, str | None]) -> Iterator[Any]:
    after: str | None = None
    while True:
        page: Any = client.operator.call("GET", "failed", query={**query, "after": after, "limit": str(PAGE)})
        yield from page["data"]
        if page["after"] is None:
            return
        after = str(page["after"])


def _row(turn: Any) -> tuple[str, ...]:
    return (
        turn["id"],
        turn["tenant"],
        turn["user_id"] or NO_VALUE,
        turn["code"],
        format_age(datetime.fromisoformat(turn["failed_at"])),
        turn["model"] or NO_VALUE,
        turn["session_id"],
    )
