"""The command group `inturn tenants`."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.options import DURATION, Invocation, OrderedGroup, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age
from inturn.values import Json

LIMITS = {"concurrency": "concurrency", "backlog": "backlog", "turns_per_minute": "rate", "tokens_per_day": "tokens"}
NO_VALUE = "-"

tenant_argument = click.argument("tenant")
reason_option = click.option("--reason", default="", help="Why; recorded in the audit log.")


@click.group(cls=OrderedGroup, invoke_without_command=True)
@click.option(
    "--sort", type=click.Choice(["live", "waiting"]), default="live", show_default=True,
    help="Most live turns first, or longest wait first.",
)  # fmt: skip
@click.option("-n", "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Maximum number.")
@json_option
@click.pass_context
def tenants(context: click.Context, /, *, sort: str, limit: int, as_json: bool) -> None:
    """List the tenants, or show one and set its limits.

    Without a command, lists the tenants that have live turns, own limits, or turns accepted within a day. To list and
    show needs a key with the scope `operator`, `observer` or `admin`; to set limits, `operator`.
    """
    if context.invoked_subcommand:
        return
    invocation: Invocation = context.obj
    with invocation.client() as client:
        found: Any = client.operator.call("GET", "tenants", query={"sort": sort, "limit": str(limit)})
    if as_json:
        for tenant in found["data"]:
            invocation.terminal.write_json(tenant)
        return
    columns = ["TENANT", "LIVE", "RUNNING", "WAITING", "OLDEST", "PER MINUTE", "FAILED", "TOKENS", "STATE"]
    invocation.terminal.write_table(columns, map(_row, found["data"]))
    if not found["are_all"]:
        invocation.terminal.print_notice("There are more tenants or live sessions than one request reads.")


@tenants.command()
@tenant_argument
@json_option
@pass_invocation
def show(invocation: Invocation, /, *, tenant: str, as_json: bool) -> None:
    """Show what a tenant does, and its limits."""
    with invocation.client() as client:
        _write(invocation, client.operator.call("GET", _path(tenant)), as_json=as_json)


@tenants.command("set")
@tenant_argument
@click.option("--concurrency", type=click.IntRange(0), help="Turns that run at once (0 = unlimited).")
@click.option("--backlog", type=click.IntRange(1), help="Live turns.")
@click.option("--rate", type=click.IntRange(0), help="Submitted turns per minute (0 = unlimited).")
@click.option("--tokens", type=click.IntRange(0), help="Tokens per UTC day (0 = unlimited).")
@click.option("--for", "seconds", type=DURATION, help="Time after which the default limits apply again, such as 2h.")
@reason_option
@json_option
@pass_invocation
def set_limits(
    invocation: Invocation, /, *, tenant: str, seconds: float | None, reason: str, as_json: bool, **limits: int | None
) -> None:
    """Give a tenant own limits, in place of those it had.

    They apply within a second, in all processes. Running turns finish. A limit that is not given is the default one.
    """
    body: dict[str, object] = {name: limits[option] for name, option in LIMITS.items() if limits[option] is not None}
    if not body:
        raise click.UsageError("Give at least one of --concurrency, --backlog, --rate and --tokens.")
    if seconds is not None:
        body["until"] = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    with invocation.client() as client:
        changed = client.operator.call("PUT", _path(tenant), body={**body, "reason": reason})
    _write(invocation, changed, as_json=as_json)


@tenants.command()
@tenant_argument
@reason_option
@json_option
@pass_invocation
def reset(invocation: Invocation, /, *, tenant: str, reason: str, as_json: bool) -> None:
    """Let the default limits apply to a tenant again."""
    with invocation.client() as client:
        _write(invocation, client.operator.call("DELETE", _path(tenant), query={"reason": reason}), as_json=as_json)


def _path(tenant: str) -> str:
    return f"tenants/{quote(tenant, safe='')}"


def _write(invocation: Invocation, tenant: Json, *, as_json: bool) -> None:
    if as_json:
        invocation.terminal.write_json(tenant)
    else:
        invocation.terminal.write_table(["NAME", "VALUE"], _lines(tenant))


def _row(tenant: Any) -> Sequence[str]:
    return (
        tenant["tenant"],
        *(str(tenant[name]) for name in ("live_turns", "running_turns", "waiting_turns")),
        _wait(tenant),
        f"{tenant['accepted_per_minute']:g}",
        str(tenant["failed_turns"]),
        str(tenant["tokens_today"]),
        ", ".join(_state(tenant)),
    )


def _state(tenant: Any) -> Iterator[str]:
    """Yield that the tenant is paused, and its own limits."""
    if tenant["pause"]:
        yield "paused"
    own = tenant["own_limits"] or {}
    for name, option in LIMITS.items():
        if own.get(name) is not None:
            yield f"{option} {own[name] or 'unlimited'}"


def _lines(tenant: Any) -> Iterator[tuple[str, str]]:
    """Yield the lines about one tenant, each as its name and value."""
    own = tenant["own_limits"] or {}
    yield "tenant", tenant["tenant"]
    if tenant["pause"]:
        yield (
            "paused",
            f"until {tenant['pause']['until'] or 'resumed'}, {tenant['pause']['reason'] or 'without a reason'}",
        )
    yield "live", str(tenant["live_turns"])
    yield "running", str(tenant["running_turns"])
    yield "waiting", str(tenant["waiting_turns"])
    yield "oldest wait", _wait(tenant)
    yield "accepted per minute", f"{tenant['accepted_per_minute']:g}"
    yield "failed in 5 minutes", str(tenant["failed_turns"])
    yield "tokens today", str(tenant["tokens_today"])
    if tenant["counted_tokens"] is not None:
        yield "of its limit", f"{tenant['counted_tokens']} used or reserved"
    for name, option in LIMITS.items():
        value = tenant["limits"][name]
        yield option, f"{value or 'unlimited'} ({'own' if own.get(name) is not None else 'default'})"
    if own:
        yield (
            "set",
            f"{format_age(datetime.fromisoformat(own['set_at']))} ago by {own['set_by'] or 'a caller without a key'}",
        )
        yield "until", own["until"] or "reset"
        yield "reason", own["reason"] or NO_VALUE


def _wait(tenant: Any) -> str:
    since = tenant["waiting_since"]
    return format_age(datetime.fromisoformat(since)) if since else NO_VALUE
