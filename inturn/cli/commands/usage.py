"""The command `inturn usage`."""

from collections.abc import Sequence
from typing import Any

import click

from inturn.cli.options import Invocation, json_option, pass_invocation

GROUPS = ("day", "user", "assistant", "model")
NO_VALUE = "-"


@click.command()
@click.option(
    "--by", default="day", show_default=True, help="Group by day, user, assistant or model, joined by commas."
)
@click.option("--since", metavar="DAY", help="First UTC day, such as 2026-11-01.  [six days before the last]")
@click.option("--until", metavar="DAY", help="Last UTC day, included.  [today]")
@click.option("--user", "user_id", metavar="ID", help="Only this user.")
@click.option("--assistant", metavar="NAME", help="Only this assistant.")
@click.option("--model", metavar="NAME", help="Only this model.")
@click.option("--all", "of_all", is_flag=True, help="All tenants, for operators; then also `--by tenant`.")
@click.option("--tenant", metavar="NAME", help="Only this tenant, with --all.")
@json_option
@pass_invocation
def usage(invocation: Invocation, /, *, of_all: bool, tenant: str | None, as_json: bool, **query: str | None) -> None:
    """Show the tokens and cost of ended turns, with their sum in the last row.

    With `--all` the key needs the scope `operator`, `observer` or `admin`.
    """
    if tenant and not of_all:
        raise click.UsageError("--tenant needs --all.")
    with invocation.client() as client:
        report: Any = (
            client.operator.call("GET", "usage", query={**query, "tenant": tenant}) if of_all else client.usage(**query)  # type: ignore[arg-type]  # the options have the names of its parameters
        )
    if as_json:
        for row in report["data"]:
            invocation.terminal.write_json(row)
        return
    columns = [name.upper() for name in report["by"]]
    columns += ["TURNS", "FAILED", "INPUT", "CACHED", "OUTPUT", "REASONING", "UNREPORTED", "COST"]
    rows = [[*_names(report["by"], row), *_sums(row)] for row in report["data"]]
    total = ["TOTAL", *[""] * (len(report["by"]) - 1)] if report["by"] else []
    invocation.terminal.write_table(columns, [*rows, [*total, *_sums(report["total"])]] if total else rows)
    if report["has_more"]:
        invocation.terminal.print_notice("There are more rows; the sum has all of them.")


def _names(by: Sequence[str], row: Any) -> Sequence[str]:
    values = [row["user_id" if name == "user" else name] for name in by]
    return [value or ("(others)" if row["is_rest"] else NO_VALUE) for value in values]


def _sums(row: Any) -> Sequence[str]:
    names = (
        "turns",
        "failed",
        "input_tokens",
        "cached_tokens",
        "output_tokens",
        "reasoning_tokens",
        "unreported_calls",
    )
    cost = ", ".join(f"{amount} {currency}" for currency, amount in row["cost"].items())
    return [*(str(row[name]) for name in names), cost or NO_VALUE]
