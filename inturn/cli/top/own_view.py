"""The view of a key without the scope of an operator: the workers and the live turns of its tenant."""

from typing import TYPE_CHECKING

from inturn.cli.terminal.formatting import format_age, format_status
from inturn.cli.terminal.output import build_table
from inturn.client import Client, Turn
from inturn.values import Readiness

if TYPE_CHECKING:
    from rich.console import Group

MAX_TURNS = 20


def list_live_turns(client: Client) -> list[Turn]:
    """Return the newest live turns, running ones first."""
    running = list(client.turns.list(status="in_progress", limit=MAX_TURNS))
    if len(running) == MAX_TURNS:
        return running
    return running + list(client.turns.list(status="queued", limit=MAX_TURNS - len(running)))


def own_view(ready: Readiness, turns: list[Turn]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    rows = [
        (turn.id, turn.session_id, format_age(turn.accepted_at), format_status(turn.status, turn.queue))
        for turn in turns
    ]
    workers = (f" workers: {ready.live_workers} ", "reverse" if ready.live_workers else "white on red")
    head = Text.assemble(
        workers, f"  live turns: {ready.live_turns}   durability: {ready.durability}   store: {ready.status}\n"
    )
    return Group(head, build_table(["TURN", "SESSION", "AGE", "STATE"], rows))
