"""The commands `inturn workers`, `inturn drain` and `inturn rescue`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.operator.rolling_drain import NotDrained, RollingDrain, WorkerRow
from inturn.cli.options import Invocation, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age
from inturn.cli.terminal.output import Terminal
from inturn.client import Client

COLUMNS = ["STATE", "KIND", "VERSION", "SINCE", "SLOTS", "MEMORY", "HOST", "NAME"]


@click.command()
@json_option
@pass_invocation
def workers(invocation: Invocation, /, *, as_json: bool) -> None:
    """List the workers, and the processes of the endpoint.

    Workers that have ended or fallen silent are listed for 15 minutes. SLOTS are those in use and all.
    Needs a key with the scope `operator`, `observer` or `admin`.
    """
    with invocation.client() as client:
        found = client.operator.call("GET", "workers")
    rows = [*found["data"], *({**process, "kind": "web"} for process in found["web_processes"])]
    if as_json:
        for row in rows:
            invocation.terminal.write_json(row)
        return
    invocation.terminal.write_table(COLUMNS, map(_cells, rows))


@click.command()
@click.argument("names", metavar="[WORKER]…", nargs=-1)
@click.option("--all", "drains_all", is_flag=True, help="Drain all workers instead of those that are named.")
@click.option("--one-by-one", is_flag=True, help="With --all: wait for the successor of each worker before the next.")
@click.option(
    "--timeout", type=click.FloatRange(min=0), default=300, show_default=True, metavar="SECONDS",
    help="With --one-by-one: time for one worker to end and its successor to start.",
)  # fmt: skip
@click.option("--no-successor", is_flag=True, help="With --one-by-one: nothing restarts workers that end.")
@pass_invocation
def drain(
    invocation: Invocation,
    /,
    *,
    names: tuple[str, ...],
    drains_all: bool,
    one_by_one: bool,
    timeout: float,
    no_successor: bool,
) -> Exit:
    """Let workers finish their turns and exit, as SIGTERM does. Their supervisor restarts them.

    For an upgrade, install the new release, then run `inturn drain --all --one-by-one`. Needs a key with the scope
    `operator`. The exit code is 5 if a worker has not ended, or has no successor, in time.
    """
    if bool(names) == drains_all:
        raise click.UsageError("Name workers, which `inturn workers` lists, or use --all.")
    if one_by_one and not drains_all:
        raise click.UsageError("--one-by-one goes with --all.")
    terminal = invocation.terminal
    with invocation.client() as client:
        fleet = ServiceFleet(client)
        if one_by_one:
            rolling = RollingDrain(
                fleet, timeout_seconds=timeout, needs_successor=not no_successor, notify=terminal.write_line
            )
            return _run(rolling, terminal)
        for name in names or _running(fleet):
            fleet.drain(name)
            terminal.write_line(name)
    return Exit.OK


def _run(rolling: RollingDrain, terminal: Terminal) -> Exit:
    try:
        rolling.run()
    except NotDrained as error:
        terminal.print_error(str(error))
        return Exit.STILL_RUNNING
    return Exit.OK


@click.command()
@click.argument("name", metavar="WORKER")
@click.option("--reason", metavar="TEXT", help="Recorded in the audit log.")
@pass_invocation
def rescue(invocation: Invocation, /, *, name: str, reason: str | None) -> None:
    """Take the turns of a silent worker away, so that others run them now, and print their number.

    If the worker still runs, its writes are refused. Needs a key with the scope `operator`. A worker that sends
    heartbeats keeps its turns; drain it instead.
    """
    with invocation.client() as client:
        result = client.operator.call("POST", f"workers/{quote(name, safe='')}/rescue", query={"reason": reason})
    invocation.terminal.write_line(str(result["done"]))


class ServiceFleet:
    """The workers of the service, over HTTP."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def list_workers(self) -> Sequence[WorkerRow]:
        """Return the workers, also those that have ended."""
        rows = self._client.operator.call("GET", "workers")["data"]
        return [WorkerRow(row["name"], row["kind"], row["host"], row["state"]) for row in rows]

    def drain(self, name: str) -> None:
        """Ask a worker to finish its turns and exit. Raise `WorkerNotFound` for an unknown one."""
        self._client.operator.call("POST", f"workers/{quote(name, safe='')}/drain")


def _running(fleet: ServiceFleet) -> list[str]:
    return [worker.name for worker in fleet.list_workers() if worker.is_running]


def _cells(row: dict[str, Any]) -> list[str]:
    """Return a line of the table; a process of the endpoint has no slots."""
    slots = f"{len(row['running_turns'])}/{row['slots'] or '?'}" if "running_turns" in row else ""
    memory = f"{row['memory_bytes'] / 1e6:.0f} MB" if row["memory_bytes"] else ""
    return [
        _state(row),
        row["kind"],
        row["version"],
        _age(row["started_at"]),
        slots,
        memory,
        row["host"],
        row["name"],
    ]


def _state(row: dict[str, Any]) -> str:
    state: str = row["state"]
    if state == "silent":
        return f"silent {_age(row.get('beat_at') or row['seen_at'])}"
    return f"{state} {_age(row['ended_at'])} ago" if row.get("ended_at") else state


def _age(at: str | None) -> str:
    return format_age(datetime.fromisoformat(at)) if at else ""
