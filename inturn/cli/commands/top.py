"""`inturn top`."""

import contextlib
import time
from typing import TYPE_CHECKING

import click

from inturn.cli.commands.turns import age
from inturn.cli.options import Invocation, as_json, pass_invocation
from inturn.cli.terminal.output import console
from inturn.cli.terminal.spinner import in_words
from inturn.client import Client, Turn
from inturn.errors import Refused, Unavailable
from inturn.values import Readiness, ServiceStatus

if TYPE_CHECKING:
    from rich.console import Group

SHOWN = 20
EVERY_SECONDS = 1.0


@click.command()
@as_json
@pass_invocation
def top(invocation: Invocation, /, *, as_json: bool) -> None:
    """Watch the service: its workers, and what live turns wait for.

    With a key of the scope `operator` or `observer`, or where no keys are asked for, also how many turns could run and
    wait for a worker, for how long, and how many have failed. Nothing that was said is shown. Ctrl-C leaves.

    Where stdout is no terminal, or with --json, it is told once.
    """
    with invocation.client() as client:
        if as_json or not invocation.terminal.shows_data:
            status = _status(client)
            invocation.terminal.json({**client.readiness().raw, **(status.raw if status else {})})
            return
        with contextlib.suppress(KeyboardInterrupt):
            _watch(client)


def _watch(client: Client) -> None:
    from rich.live import Live
    from rich.text import Text

    with Live(console=console(), screen=True, auto_refresh=False) as live:
        while True:
            try:
                live.update(_picture(client.readiness(), _status(client), _live_turns(client)), refresh=True)
            except Unavailable as error:
                live.update(Text(str(error), style="red"), refresh=True)
            time.sleep(EVERY_SECONDS)


def _status(client: Client) -> ServiceStatus | None:
    """None: that is not for this key, or a proxy does not let it through."""
    try:
        return client.status()
    except Refused:
        return None


def _live_turns(client: Client) -> list[Turn]:
    """The newest, those that run first."""
    running = list(client.turns.list(status="in_progress", limit=SHOWN))
    if len(running) == SHOWN:
        return running
    return running + list(client.turns.list(status="queued", limit=SHOWN - len(running)))


def _picture(ready: Readiness, status: ServiceStatus | None, turns: list[Turn]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    from inturn.cli.terminal.tables import drawn

    rows = [(turn.id, turn.session_id, age(turn.accepted_at), in_words(turn.status, turn.queue)) for turn in turns]
    workers = (f" workers: {ready.live_workers} ", "reverse" if ready.live_workers else "white on red")
    head = Text.assemble(
        workers, f"  live turns: {ready.live_turns}   durability: {ready.durability}   store: {ready.status}"
    )
    return Group(head, Text(_told(status)), drawn(["TURN", "SESSION", "AGE", "STATE"], rows))


def _told(status: ServiceStatus | None) -> str:
    if status is None:
        return ""
    paused = "".join(f"   {switch} paused for {age(since)}" for switch, since in status.paused.items())
    waiting = f"waiting for a worker: {status.waiting_turns}, the oldest for {status.oldest_waiting_seconds:.0f} s"
    return f" {waiting}   failed: {status.failed_turns}{paused}\n"
