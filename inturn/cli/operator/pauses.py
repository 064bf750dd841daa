"""The commands `inturn pauses`, `inturn pause` and `inturn resume`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.options import DURATION, Invocation, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age, format_until
from inturn.client import Client

WHOLE_SERVICE = ("intake", "workers")
KINDS = (*WHOLE_SERVICE, "tenant", "assistant", "lane", "provider", "model")
NO_VALUE = "-"

kind_argument = click.argument("kind", type=click.Choice(KINDS))
name_argument = click.argument("name", required=False)


@click.command()
@json_option
@pass_invocation
def pauses(invocation: Invocation, /, *, as_json: bool) -> None:
    """List what operators have paused, and the models that are on hold.

    A model is on hold, with the kind `hold`, if its provider limits the rate or does not answer; at its end, one turn
    tries the model. Needs a key with the scope `operator`, `observer` or `admin`.
    """
    with invocation.client() as client:
        _write(invocation, _read_pauses(client), _read_holds(client), as_json=as_json)


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
        found: Any = client.operator.call("PUT", path, body={"reason": reason, "for_seconds": seconds})
        _write(invocation, found["data"], _read_holds(client), as_json=as_json)


@click.command()
@kind_argument
@name_argument
@json_option
@pass_invocation
def resume(invocation: Invocation, /, *, kind: str, name: str | None, as_json: bool) -> None:
    """End a pause; the turns that waited start one after another, oldest first. Lists what is still paused.

    For a model that no operator has paused, this ends its holds, which `inturn pauses` lists with the kind `hold`.
    """
    path = _path(kind, name)
    with invocation.client() as client:
        if kind == "model" and not _is_paused(client, name):
            _lift_holds(client, name)
        found: Any = client.operator.call("DELETE", path)
        _write(invocation, found["data"], _read_holds(client), as_json=as_json)


def _path(kind: str, name: str | None) -> str:
    """Return the path of a part below `/operator`. Raise `UsageError`."""
    if kind in WHOLE_SERVICE and name:
        raise click.UsageError(f"`{kind}` takes no name.")
    if kind not in WHOLE_SERVICE and not name:
        raise click.UsageError(f"Give the name of the {kind}.")
    return f"pauses/{kind}/{quote(name, safe='')}" if name else f"pauses/{kind}"


def _read_pauses(client: Client) -> Sequence[Any]:
    found: Any = client.operator.call("GET", "pauses")
    paused: Sequence[Any] = found["data"]
    return paused


def _is_paused(client: Client, model: str | None) -> bool:
    """Return whether an operator's pause of this model is in force."""
    return any(
        (pause["kind"], pause["name"], pause["is_over"]) == ("model", model, False) for pause in _read_pauses(client)
    )


def _read_holds(client: Client) -> Sequence[Any]:
    status: Any = client.operator.call("GET", "status")
    holds: Sequence[Any] = status["holds"]
    return holds


def _lift_holds(client: Client, model: str | None) -> None:
    """Lift the holds of a model; it has one for each provider that assistants call it at."""
    for hold in _read_holds(client):
        if hold["model"] == model:
            client.operator.call("POST", "holds/lift", query={"name": hold["name"]})


def _write(invocation: Invocation, paused: Sequence[Any], holds: Sequence[Any], *, as_json: bool) -> None:
    if as_json:
        for row in (*paused, *({"object": "hold", **hold} for hold in holds)):
            invocation.terminal.write_json(row)
        return
    rows = [*map(_row, paused), *map(_hold_row, holds)]
    columns = ["KIND", "NAME", "PAUSED FOR", "WAITING", "ENDS", "BY", "REASON"]
    invocation.terminal.write_table(columns, rows, if_empty="Nothing is paused.")


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
    return format_until(pause["until"]) if pause["until"] else "never"


def _hold_row(hold: Any) -> Sequence[str]:
    return (
        "hold",
        hold["model"],
        format_age(datetime.fromisoformat(hold["since"])),
        str(hold["held_turns"]),
        "reopening" if hold["is_reopening"] else format_until(hold["until"]),
        NO_VALUE,
        hold["code"],
    )
