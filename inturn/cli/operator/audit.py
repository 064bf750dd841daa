"""The command `inturn audit`."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from inturn.cli.options import DURATION, Invocation, json_option, limit_option, pass_invocation
from inturn.cli.terminal.formatting import format_age
from inturn.client import Client

MAX_PAGE = 100
COLUMNS = ["AGE", "KEY", "TENANT", "ACTION", "WHAT", "DETAILS", "REASON"]
NO_VALUE = "-"


@click.command()
@click.option("--key", "key_id", metavar="ID", help="Only what was done with this key.")
@click.option("--tenant", help="Only what this tenant did, or what was done to it.")
@click.option("--action", help="Only this action, such as cancel or revoke_key.")
@click.option("--what", help="Only what was done to this; a part of an id or a name.")
@click.option("--since", type=DURATION, help="Only the last such time, as 2h.")
@click.option("--until", type=DURATION, help="Only what is older than such a time, as 1h.")
@click.option("--refused", is_flag=True, help="List refused requests: wrong keys, and acts beyond a key's scopes.")
@limit_option
@json_option
@pass_invocation
def audit(
    invocation: Invocation,
    /,
    *,
    since: float | None,
    until: float | None,
    refused: bool,
    limit: int,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """List what operators did, newest first. Needs a key with the scope `operator`, `observer` or `admin`."""
    query = {**wanted, "since": _ago(since), "until": _ago(until), "outcome": "refused" if refused else "done"}
    with invocation.client() as client:
        found = list(_read(client, query, limit))
    if as_json:
        for entry in found:
            invocation.terminal.write_json(entry)
    else:
        invocation.terminal.write_table(COLUMNS, map(_row, found))


def _ago(seconds: float | None) -> str | None:
    return None if seconds is None else (datetime.now(UTC) - timedelta(seconds=seconds)).isoformat()


def _read(client: Client, query: dict[str, str | None], limit: int) -> Iterator[Any]:
    """Yield up to `limit` entries; a page may be short or empty although it is not the last."""
    after: str | None = None
    while limit > 0:
        page_limit = str(min(limit, MAX_PAGE))
        page: Any = client.operator.call("GET", "audit", query={**query, "after": after, "limit": page_limit})
        yield from page["data"]
        limit -= len(page["data"])
        after = page["after"]
        if after is None:
            return


def _row(entry: Any) -> tuple[str, ...]:
    details = " ".join(f"{name}={value}" for name, value in entry["details"].items())
    return (
        format_age(datetime.fromisoformat(entry["at"])),
        entry["key_id"] or NO_VALUE,
        entry["target_tenant"] or entry["tenant"] or NO_VALUE,
        entry["action"],
        entry["what"],
        details,
        entry["reason"],
    )
