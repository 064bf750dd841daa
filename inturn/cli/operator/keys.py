"""The command group `inturn keys`."""

import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.options import DURATION, Invocation, OrderedGroup, json_option, pass_invocation, refuse_options
from inturn.cli.service_program import exec_module
from inturn.cli.terminal.formatting import format_age
from inturn.client import Client
from inturn.errors import KeyExists
from inturn.values import Json

DAY_SECONDS = 86_400
MAX_CANCELLING_REQUESTS = 100  # each of which cancels up to 500 turns
COLUMNS = ["KEY", "TENANT", "SCOPES", "STATE", "AGE", "USED", "EXPIRES", "CREATED BY", "LABEL"]
NO_VALUE = "-"
NOT_LOCAL = "needs an administrator's key: leave --local away."

local_option = click.option(
    "--local",
    is_flag=True,
    help="Use the store that REDIS_URL of this shell names, without a key, as for the first one.",
)
reason_option = click.option("--reason", default="", help="Why; recorded in the audit log.")


@click.group(cls=OrderedGroup)
def keys() -> None:
    """Manage API keys, with a key of the scope `admin` in INTURN_API_KEY.

    The first key is created on the machine of the service, with `--local`. From then on every request needs a key. A
    key is shown only when it is created.
    """


@keys.command()
@click.argument("tenant")
@click.option("--scopes", default="turns", show_default=True, help="Any of turns,read,operator,observer,admin.")
@click.option("--label", default="", help="Purpose of the key, for lists.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Days until it expires.  [until revoked]")
@local_option
@click.option("--adopt", is_flag=True, help="With --local: then give TENANT the sessions stored without a key.")
@json_option
@pass_invocation
def create(
    invocation: Invocation,
    /,
    *,
    tenant: str,
    scopes: str,
    label: str,
    days: float | None,
    local: bool,
    adopt: bool,
    as_json: bool,
) -> None:
    """Create a key for TENANT and print it."""
    if local:
        refuse_options({"--json": as_json}, NOT_LOCAL)
        lifetime = [] if days is None else ["--days", str(days)]
        arguments = [tenant, "--scopes", scopes, "--label", label, *lifetime, *(["--adopt"] if adopt else [])]
        exec_module("turns", "keys", "create", *arguments)
    if adopt:
        raise click.UsageError("--adopt needs --local.")
    body: dict[str, object] = {"tenant": tenant, "scopes": [name.strip() for name in scopes.split(",")], "label": label}
    if days is not None:
        body["lifetime_seconds"] = days * DAY_SECONDS
    with invocation.client() as client:
        created = _create_once(client, body)
    _write_new_key(invocation, created, as_json=as_json)


@keys.command("ls")
@click.option("--tenant", help="Only keys of this tenant.")
@local_option
@json_option
@pass_invocation
def ls(invocation: Invocation, /, *, tenant: str | None, local: bool, as_json: bool) -> None:
    """List the keys without their secrets, newest first, with those that ended within 90 days."""
    if local:
        refuse_options({"--tenant": tenant, "--json": as_json}, NOT_LOCAL)
        exec_module("turns", "keys", "list")
    with invocation.client() as client:
        found = list(_list_keys(client, tenant))
    if as_json:
        for key in found:
            invocation.terminal.write_json(key)
    else:
        invocation.terminal.write_table(COLUMNS, map(_row, found), if_empty="No key exists, or ended within 90 days.")


@keys.command()
@click.argument("key_id")
@click.option("--overlap", type=DURATION, default="1d", show_default=True, help="Time for which KEY_ID still works.")
@click.option("--now", is_flag=True, help="End it at once instead.")
@reason_option
@json_option
@pass_invocation
def rotate(invocation: Invocation, /, *, key_id: str, overlap: float, now: bool, reason: str, as_json: bool) -> None:
    """Create a successor of a key and print it; the key itself ends after the overlap."""
    with invocation.client() as client:
        body: dict[str, object] = {"overlap_seconds": 0.0 if now else overlap, "reason": reason}
        created = _rotate_once(client, key_id, body)
    _write_new_key(invocation, created, as_json=as_json)


@keys.command()
@click.argument("key_id")
@click.option("--cancel", is_flag=True, help="Also cancel the live turns that were accepted with it.")
@click.option("--even-last", is_flag=True, help="Although no other key has its scope admin or operator.")
@reason_option
@local_option
@json_option
@pass_invocation
def revoke(
    invocation: Invocation, /, *, key_id: str, cancel: bool, even_last: bool, reason: str, local: bool, as_json: bool
) -> None:
    """Revoke a key; takes effect everywhere within two seconds."""
    if local:
        given = {"--cancel": cancel, "--even-last": even_last, "--reason": reason, "--json": as_json}
        refuse_options(given, NOT_LOCAL)
        exec_module("turns", "keys", "revoke", key_id)
    query = {"cancel": str(cancel).lower(), "even_last": str(even_last).lower(), "reason": reason}
    with invocation.client() as client:
        revoked, cancelled = _revoke(client, key_id, query)
    if as_json:
        invocation.terminal.write_json({**revoked, "cancelled": cancelled})
        return
    invocation.terminal.write_line(f"{key_id} is {revoked['key']['state']}")
    if cancel:
        invocation.terminal.write_line(f"Cancelled turns: {cancelled}")


@keys.command()
@click.argument("tenant")
def adopt(tenant: str) -> None:
    """Give TENANT the idle sessions that were stored without a key, with their turns. Can be repeated.

    Uses the store that REDIS_URL of this shell names.
    """
    exec_module("turns", "keys", "adopt", tenant)


def _create_once(client: Client, body: dict[str, object]) -> Any:
    """Create a key, and return it with its text, although a response may be lost and the request be sent again."""
    key_id = secrets.token_hex(6)
    try:
        return client.operator.call("POST", "keys", body={**body, "id": key_id})
    except KeyExists:  # the lost response had the text of this key
        client.operator.call("POST", f"keys/{key_id}/revoke", query={"even_last": "true"})
        return client.operator.call("POST", "keys", body={**body, "id": secrets.token_hex(6)})


def _rotate_once(client: Client, key_id: str, body: dict[str, object]) -> Any:
    """Rotate a key, and return the successor with its text, although a response may be lost as above."""
    new_id = secrets.token_hex(6)
    try:
        return _rotate(client, key_id, {**body, "id": new_id})
    except KeyExists:  # the key may have ended already, so rotate the successor whose text was lost
        return _rotate(client, new_id, {**body, "id": secrets.token_hex(6), "overlap_seconds": 0.0})


def _rotate(client: Client, key_id: str, body: dict[str, object]) -> Any:
    return client.operator.call("POST", f"keys/{quote(key_id, safe='')}/rotate", body=body)


def _list_keys(client: Client, tenant: str | None) -> Iterator[Json]:
    after: str | None = "0"
    while after is not None:
        page: Any = client.operator.call("GET", "keys", query={"tenant": tenant, "after": after, "limit": "100"})
        yield from page["data"]
        after = None if page["after"] is None else str(page["after"])


def _revoke(client: Client, key_id: str, query: dict[str, str]) -> tuple[Any, int]:
    """Revoke a key and return the last response, and the number of turns that were cancelled."""
    cancelled = 0
    for _ in range(MAX_CANCELLING_REQUESTS):
        revoked: Any = client.operator.call("POST", f"keys/{quote(key_id, safe='')}/revoke", query=query)
        cancelled += revoked["cancelled"]
        if not revoked["has_more"]:
            break
    return revoked, cancelled


def _write_new_key(invocation: Invocation, created: Any, *, as_json: bool) -> None:
    if as_json:
        invocation.terminal.write_json(created)
        return
    expires = f"until {created['expires_at']}" if created["expires_at"] else "until revoked"
    invocation.terminal.print_notice(
        f"{created['id']} of {created['tenant']}, {','.join(created['scopes'])}, {expires}. "
        "Store this key now; it cannot be displayed again:"
    )
    invocation.terminal.write_line(created["api_key"])


def _row(key: Any) -> tuple[str, ...]:
    return (
        key["id"],
        key["tenant"],
        ",".join(key["scopes"]),
        key["state"],
        _age(key["created_at"]),
        _age(key["last_used_at"]),
        (key["expires_at"] or NO_VALUE)[:16],
        key["created_by"] or NO_VALUE,
        key["label"],
    )


def _age(at: str | None) -> str:
    return format_age(datetime.fromisoformat(at)) if at else NO_VALUE
