"""The commands `inturn pauses`, `inturn pause` and `inturn resume`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.options import DURATION, Invocation, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age
from inturn.values import Json

WHOLE_SERVICE = ("intake", "workers")
KINDS = (*WHOLE_SERVICE, "tenant", "assistant", "lane", "provider", "model")
NO_VALUE = "-"

kind_argument = click.argument("kind", type=click.Choice(KINDS))
name_argument = click.argument("name", required=False)


@click.command()
@json_option
@pass_invocation
def pauses(invocation: Invocation, /, *, as_json: bool) -> None:
    """List what operators have paused. Needs a key with the scope `operator` or `observer`."""
    with invocation.client() as client:
        _write(invocation, client.operator.call("GET", "pauses"), as_json=as_json)


@click.command()
@kind_argument
@name_argument
@click.option("--reason", default="", help="Why; shown to operators, never to callers.")
@click.option("--for", "seconds", type=DURATION, help="Time after which it ends by itself, such as 30m.  [no end]")
@json_option
@pass_invocation
def pause(
    invocation: Invocation, /, *, kind: str, name: str | None, reason: str, seconds: float | None, as_json: bool
) -> None:
    """Pause a part of the service. Running turns finish; new ones are accepted and wait, except with `intake`.

    On a paused part, this changes the reason and the end. Lists what is paused then.

    \b
      inturn pause workers --reason "store maintenance" --for 30m
      inturn pause model gpt-4o-mini
      inturn pause provider api.example.com          the host of a base URL, or `default`
    """
    path = _path(kind, name)
    with invocation.client() as client:
        found = client.operator.call("PUT", path, body={"reason": reason, "for_seconds": seconds})
    _write(invocation, found, as_json=as_json)


@click.command()
@kind_argument
@name_argument
@json_option
@pass_invocation
def resume(invocation: Invocation, /, *, kind: str, name: str | None, as_json: bool) -> None:
    """End a pause; the turns that waited start one after another, oldest first. Lists what is still paused."""
    path = _path(kind, name)
    with invocation.client() as client:
        _write(invocation, client.operator.call("DELETE", path), as_json=as_json)


def _path(kind: str, name: str | None) -> str:
    """Return the path of a part below `/operator`. Raise `UsageError`."""
    if kind in WHOLE_SERVICE and name:
        raise click.UsageError(f"`{kind}` takes no name.")
    if kind not in WHOLE_SERVICE and not name:
        raise click.UsageError(f"Give the name of the {kind}.")
    return f"pauses/{kind}/{quote(name, safe='')}" if name else f"pauses/{kind}"


def _write(invocation: Invocation, found: Json, *, as_json: bool) -> None:
    data: Any = found["data"]
    if as_json:
        for pause in data:
            invocation.terminal.write_json(pause)
        return
    invocation.terminal.write_table(["KIND", "NAME", "PAUSED FOR", "WAITING", "ENDS", "BY", "REASON"], map(_row, data))
    if not data:
        invocation.terminal.print_notice("Nothing is paused.")


def _row(pause: Any) -> Sequence[str]:
    return (
        pause["kind"],
        pause["name"] or NO_VALUE,
        format_age(datetime.fromisoformat(pause["since"])),
        str(pause["waiting_turns"]),
        _end(pause),
        pause["by"] or NO_VALUE,
        pause["reason"] or NO_VALUE,
    )


def _end(pause: Any) -> str:
    if pause["is_over"]:
        return "resumed"
    until: str | None = pause["until"]
    return f"{until[:16].replace('T', ' ')} UTC" if until else "never"
