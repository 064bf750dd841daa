"""The view of an operator: the verdict, the main numbers, what is paused, tenants, workers and failed turns.

All functions are pure. They draw the response of `/operator/stats.json`, in which a later version may add values.
"""

from collections.abc import Sequence
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from inturn.cli.terminal.formatting import format_age, format_duration, format_until
from inturn.cli.terminal.output import build_table, replace_control_characters
from inturn.values import Json

if TYPE_CHECKING:
    from rich.console import Group, RenderableType
    from rich.text import Text

MAX_ROWS = 10
LEVELS = MappingProxyType({"bad": ("✕", "bold red"), "warn": ("!", "bold yellow"), "good": ("✓", "bold green")})
BARS = "▁▂▃▄▅▆▇█"


def service_view(stats: Json, tenants: Sequence[Json]) -> "Group":
    from rich.console import Group
    from rich.text import Text

    tables = (_tenant_table(tenants), _worker_table(stats["workers"]), _failed_table(stats["failed_by_code"]))
    return Group(
        *(_finding(finding) for finding in stats["findings"]),
        Text(),
        _line(format_depth(stats)),
        _line(format_rates(stats)),
        *(Text(replace_control_characters(text), "yellow") for text in format_pauses(stats)),
        *(part for table in tables if table for part in (Text(), table)),
    )


def format_depth(stats: Json) -> dict[str, str]:
    """Return the numbers of this moment by name."""
    depth = [point.get("live_turns") for point in stats["series"]]
    return {
        "live": f"{stats['live_turns']:,} {format_sparkline(depth).lstrip()}".rstrip(),
        "running": f"{stats['running_turns']:,}",
        "waiting for a worker": f"{stats['waiting_turns']:,}",
        "longest wait": format_duration(stats["oldest_unanswered_seconds"]),
        "failed": f"{stats['failed_turns']:,}",
        "workers": f"{stats['live_workers']:,}",
    }


def format_rates(stats: Json) -> dict[str, str]:
    """Return what happened in the last whole minute, and the shares and percentiles of the last five."""
    minute, recent = stats["series"][-2], stats["recent"]
    return {
        "accepted/min": f"{minute['accepted']:,}",
        "refused/min": f"{sum(minute['refused'].values()):,}",
        "completed/min": f"{minute['ended'].get('completed', 0):,}",
        "failed/min": f"{minute['ended'].get('failed', 0):,}",
        "errors": "-" if recent["error_share"] is None else f"{recent['error_share']:.0%}",
        "wait p95": format_duration(recent["wait_p95_seconds"]),
        "first token p95": format_duration(recent["first_token_p95_seconds"]),
    }


def format_pauses(stats: Json) -> list[str]:
    """Return a line for each part that an operator has paused, and for each model that takes no turns."""
    paused = [_pause(pause) for pause in stats["pauses"] if not pause["is_over"]]
    held = [
        f"{hold['model']} takes no turns ({hold['code']}) for {_age(hold['since'])}; {hold['held_turns']:,} wait for it"
        for hold in stats["holds"]
    ]
    return paused + held


def _pause(pause: Json) -> str:
    """Return what is paused, by whom, since when, until when and why."""
    what, author = f"{pause['kind']} {pause['name']}".rstrip(), f" by {pause['by']}" if pause["by"] else ""
    end = format_until(pause["until"]) if pause["until"] else "it is resumed"
    reason = f" ({pause['reason']})" if pause["reason"] else ""
    return f"{what} paused{author} for {_age(pause['since'])}, until {end}{reason}; {pause['waiting_turns']:,} wait"


def format_sparkline(values: Sequence[int | None]) -> str:
    """Return a bar for each value; a space for a missing one. Empty without a value above 0."""
    highest = max((value for value in values if value), default=0)
    if not highest:
        return ""
    return "".join(" " if value is None else BARS[round(value / highest * (len(BARS) - 1))] for value in values)


def _finding(finding: Json) -> "Text":
    from rich.text import Text

    sign, style = LEVELS.get(finding["level"], ("?", "bold"))
    advice = f" {finding['todo']}" if finding["todo"] else ""
    rest = replace_control_characters(f" {finding['detail']}{advice}")
    return Text.assemble((f"{sign} {finding['headline']}", style), rest)


def _line(numbers: dict[str, str]) -> "Text":
    from rich.text import Text

    return Text.assemble(*(part for name, value in numbers.items() for part in ((f"{name} ", "dim"), f"{value}   ")))


def _tenant_table(tenants: Sequence[Json]) -> "RenderableType | None":
    rows = [
        (
            "default" if tenant["tenant"] == "-" else tenant["tenant"],
            f"{tenant['live_turns']:,}",
            f"{tenant['running_turns']:,}",
            f"{tenant['accepted_per_minute']:,.1f}",
            f"{tenant['failed_turns']:,}",
        )
        for tenant in tenants
        if tenant["live_turns"]
    ]
    return build_table(["TENANT", "LIVE", "RUNNING", "ACCEPTED/MIN", "FAILED"], rows) if rows else None


def _worker_table(workers: Sequence[Json]) -> "RenderableType | None":
    rows = [
        (worker["name"], worker["version"], _slots(worker), _worker_state(worker))
        for worker in workers
        if worker["state"] != "ended"
    ]
    if len(rows) > MAX_ROWS:
        rows[MAX_ROWS - 1 :] = [(f"and {len(rows) - MAX_ROWS + 1} more", "", "", "")]
    return build_table(["WORKER", "VERSION", "TURNS", "STATE"], rows) if rows else None


def _slots(worker: Json) -> str:
    used = f"{len(worker['running_turns']):,}"
    return f"{used} of {worker['slots']:,}" if worker["slots"] else used


def _worker_state(worker: Json) -> str:
    if worker["state"] == "silent":
        return f"silent for {format_duration(worker['silent_seconds'])}"
    if worker["state"] == "running":
        return "working" if worker["running_turns"] else "idle"
    state: str = worker["state"]
    return state


def _failed_table(by_code: Json) -> "RenderableType | None":
    rows = [(code, f"{number:,}") for code, number in list(by_code.items())[:MAX_ROWS]]
    return build_table(["FAILED WITH", "TURNS"], rows) if rows else None


def _age(since: str) -> str:
    return format_age(datetime.fromisoformat(since))
