"""The command `inturn top`."""

import contextlib
import time
from typing import TYPE_CHECKING

import click

from inturn.cli.options import Invocation, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age, format_status
from inturn.cli.terminal.output import build_table, console
from inturn.client import Client, Turn
from inturn.errors import Refused, Unavailable
from inturn.values import Readiness, ServiceStatus

if TYPE_CHECKING:
    from rich.console import Group

MAX_TURNS = 20
REFRESH_SECONDS = 1.0


@click.command()
@json_option
@pass_invocation
def top(invocation: Invocation, /, *, as_json: bool) -> None:
    """Watch the workers and the live turns. Ctrl-C quits.

    A key with the scope `operator` or `observer`, or a service without keys, also shows the number of turns that wait
    for a worker, the longest wait and the number of failed turns. Message texts are never shown.

    With --json, or if stdout is not a terminal, prints the state once.
    """
    with invocation.client() as client:
        if as_json or not invocation.terminal.stdout_is_terminal:
            status = _status(client)
            invocation.terminal.write_json({**client.readiness().raw, **(status.raw if status else {})})
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(client)


def _watch(client: Client) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            try:
                live.update(_view(client.readiness(), _status(client), _live_turns(client)), refresh=True)
            except Unavailable as error:
                live.update(Text(str(error), style="red"), refresh=True)
            time.sleep(REFRESH_SECONDS)


def _status(client: Client) -> ServiceStatus | None:
    """Return None if the key lacks the scope, or if a proxy does not forward the path."""
    try:
        return client.status()
    except Refused:
        return None


def _live_turns(client: Client) -> list[Turn]:
    """Return the newest live turns, running ones first."""
    running = list(client.turns.list(status="in_progress", limit=MAX_TURNS))
    if len(running) == MAX_TURNS:
        return running
    return running + list(client.turns.list(status="queued", limit=MAX_TURNS - len(running)))


def _view(ready: Readiness, status: ServiceStatus | None, turns: list[Turn]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    rows = [
        (turn.id, turn.session_id, format_age(turn.accepted_at), format_status(turn.status, turn.queue))
        for turn in turns
    ]
    workers = (f" workers: {ready.live_workers} ", "reverse" if ready.live_workers else "white on red")
    head = Text.assemble(
        workers, f"  live turns: {ready.live_turns}   durability: {ready.durability}   store: {ready.status}"
    )
    return Group(head, Text(_format_service_status(status)), build_table(["TURN", "SESSION", "AGE", "STATE"], rows))


def _format_service_status(status: ServiceStatus | None) -> str:
    if status is None:
        return ""
    paused = "".join(f"   {switch} paused for {format_age(since)}" for switch, since in status.paused.items())
    waiting = f"waiting for a worker: {status.waiting_turns}, longest wait: {status.oldest_waiting_seconds:.0f} s"
    return f" {waiting}   failed: {status.failed_turns}{paused}\n"
