"""Choose the view that the key allows, and refresh it until Ctrl-C."""

import contextlib
import time
import warnings
from typing import TYPE_CHECKING

import click

from inturn.cli.options import Invocation, json_option, pass_invocation
from inturn.cli.terminal.output import console
from inturn.cli.top.own_view import list_live_turns, own_view
from inturn.cli.top.service_view import service_view
from inturn.client import Client
from inturn.errors import PartitionsAway, Refused, Unavailable
from inturn.values import Json

if TYPE_CHECKING:
    from rich.console import Group

REFRESH_SECONDS = 1.0
MAX_TENANTS = 5
SERIES = ("series", "minutes", "step_minutes")  # left out of --json: the state of a moment has no history


@click.command()
@json_option
@pass_invocation
def top(invocation: Invocation, /, *, as_json: bool) -> None:
    """Watch the service. Ctrl-C quits.

    A key with the scope `operator`, `observer` or `admin`, or a service without keys, shows the whole service: the
    verdict, depth and rates, what is paused, the busiest tenants, the workers and the failed turns. Any other key shows
    the workers and the live turns of its tenant. Message texts are never shown.

    With --json, or if stdout is not a terminal, prints the state once.
    """
    with invocation.client() as client:
        if as_json or not invocation.terminal.stdout_is_terminal:
            invocation.terminal.write_json({**client.readiness().raw, **_state(client)})
            return
        warnings.simplefilter("ignore", PartitionsAway)  # the verdict counts them
        with contextlib.suppress(KeyboardInterrupt):
            _watch(client)


def _state(client: Client) -> Json:
    stats = _call(client, "stats.json")
    if stats is None:
        return {}
    present = {name: value for name, value in stats.items() if name not in SERIES}
    return {**present, "tenants": _tenants(client)}


def _watch(client: Client) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            try:
                live.update(_view(client), refresh=True)
            except Unavailable as error:
                live.update(Text(str(error), style="red"), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _view(client: Client) -> "Group":
    stats = _call(client, "stats.json")
    if stats is None:
        return own_view(client.readiness(), list_live_turns(client))
    return service_view(stats, _tenants(client))


def _tenants(client: Client) -> list[Json]:
    """Return the tenants with the most live turns; none from a service of an earlier version."""
    found = _call(client, "tenants", limit=str(MAX_TENANTS))
    return found["data"] if found else []


def _call(client: Client, path: str, **query: str) -> Json | None:
    """Return None if the key lacks the scope, or if a proxy does not forward the path."""
    try:
        return client.operator.call("GET", path, query=query)
    except Refused:
        return None
