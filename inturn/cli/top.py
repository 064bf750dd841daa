"""`inturn top`."""

import contextlib
import time
from typing import TYPE_CHECKING

import click

from inturn.cli.options import Invocation, as_json, pass_invocation
from inturn.cli.terminal import console
from inturn.cli.turns import age
from inturn.cli.waiting_line import in_words
from inturn.client import Client, Turn
from inturn.errors import Unavailable
from inturn.values import Readiness

if TYPE_CHECKING:
    from rich.console import Group

SHOWN = 20
EVERY_SECONDS = 1.0


@click.command()
@as_json
@pass_invocation
def top(invocation: Invocation, /, *, as_json: bool) -> None:
    """Watch the service: workers, live turns, what the newest of those wait for.

    Ctrl-C leaves. Where stdout is no terminal, or with --json, it is told once.
    """
    with invocation.client() as client:
        if as_json or not invocation.terminal.shows_data:
            invocation.terminal.json(client.readiness().raw)
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(client)


def _watch(client: Client) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            try:
                live.update(_picture(client.readiness(), _live_turns(client)), refresh=True)
            except Unavailable as error:
                live.update(Text(str(error), style="red"), refresh=True)
            time.sleep(EVERY_SECONDS)


def _live_turns(client: Client) -> list[Turn]:
    """The newest of each kind; the running ones first."""
    running = list(client.turns.list(status="in_progress", limit=SHOWN))
    return (
        running + list(client.turns.list(status="queued", limit=SHOWN - len(running)))
        if len(running) < SHOWN
        else running
    )


def _picture(ready: Readiness, turns: list[Turn]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from inturn.cli.tables import drawn

    head = Text.assemble(
        (f" workers: {ready.live_workers} ", "reverse" if ready.live_workers else "white on red"),
        f"  live turns: {ready.live_turns}   durability: {ready.durability}   store: {ready.status}\n",
    )
    rows = [(turn.id, turn.session_id, age(turn.accepted_at), in_words(turn.status, turn.queue)) for turn in turns]
    return Group(head, drawn(["TURN", "SESSION", "AGE", "STATE"], rows))
