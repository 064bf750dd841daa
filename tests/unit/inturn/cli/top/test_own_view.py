"""The view of `inturn top` for a key that sees its own tenant only."""

import io

from rich.console import Console

from inturn.cli.top.own_view import own_view
from inturn.values import Readiness


def test_own_view_shows_workers_and_store() -> None:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    ready = Readiness(status="ok", durability="always", live_workers=2, live_turns=3, raw={})
    console.print(own_view(ready, []))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    assert "workers: 2   live turns: 3   durability: always   store: ok" in text
