"""`inturn top`."""

import time
from typing import TYPE_CHECKING

import click

from inturn.cli.options import Invocation, as_json, pass_invocation
from inturn.cli.terminal import console, printable
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
    """Watch the service: workers, live turns, and the newest of those with what they wait for.

    Ctrl-C leaves. Where stdout is no terminal, or with --json, it is told once.
    """
    with invocation.client() as client:
        if as_json or not invocation.terminal.shows_data:
            invocation.terminal.json(client.readiness().raw)
            return
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
    from rich.table import Table
    from rich.text import Text

    head = Text.assemble(
        (f" {ready.live_workers} workers ", "reverse" if ready.live_workers else "white on red"),
        f"  {ready.live_turns} live turns   writes {ready.durability}   store {ready.status}\n",
    )
    table = Table(box=None, pad_edge=False, header_style="bold", expand=True)
    for name in ("TURN", "SESSION", "AGE", "STATE", "ASKED"):
        table.add_column(name, no_wrap=True, overflow="ellipsis")
    for turn in turns:
        state = in_words(turn.status, turn.queue)
        cells = (turn.id, turn.session_id, age(turn.accepted_at), state, turn.input)
        table.add_row(*(Text(printable(cell).replace("\n", " ")) for cell in cells))
    return Group(head, table)
