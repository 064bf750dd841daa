"""The command group `inturn jobs`."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

import click

from inturn.cli.operator import bulk
from inturn.cli.options import Invocation, OrderedGroup, json_option, pass_invocation
from inturn.cli.terminal.formatting import format_age

COLUMNS = ["JOB", "ACT", "STATUS", "AGE", "BY", "PROGRESS"]
NO_VALUE = "-"

job_argument = click.argument("job_id")


@click.group(cls=OrderedGroup)
def jobs() -> None:
    """List, follow, stop and undo bulk acts. Needs a key with the scope `operator`."""


@jobs.command("ls")
@json_option
@pass_invocation
def list_jobs(invocation: Invocation, /, *, as_json: bool) -> None:
    """List the bulk acts of about the last day, newest first."""
    with invocation.client() as client:
        found: Any = client.operator.call("GET", "jobs")
    if as_json:
        for job in found["data"]:
            invocation.terminal.write_json(job)
        return
    invocation.terminal.write_table(COLUMNS, map(_row, found["data"]))


@jobs.command()
@job_argument
@json_option
@pass_invocation
def show(invocation: Invocation, /, *, job_id: str, as_json: bool) -> int:
    """Show the progress of a bulk act until its end.

    The exit code is 6 if some turns could not be retried, 4 if it was stopped. Ctrl-C leaves it running.
    """
    with invocation.client() as client:
        return bulk.follow(invocation, client, quote(job_id, safe=""), as_json=as_json)


@jobs.command()
@job_argument
@json_option
@pass_invocation
def stop(invocation: Invocation, /, *, job_id: str, as_json: bool) -> None:
    """Stop a bulk act. The turns that it has processed stay so."""
    with invocation.client() as client:
        job: Any = client.operator.call("POST", f"jobs/{quote(job_id, safe='')}/stop")
    invocation.terminal.write_json(job) if as_json else invocation.terminal.write_line(bulk.describe(job))


@jobs.command()
@job_argument
@click.option("--reason", help="Why; recorded in the audit log.")
@json_option
@pass_invocation
def undo(invocation: Invocation, /, *, job_id: str, reason: str | None, as_json: bool) -> int:
    """Put the turns that a job has discarded back on the list of failed ones."""
    with invocation.client() as client:
        path = f"jobs/{quote(job_id, safe='')}/undo"
        job: Any = client.operator.call("POST", path, query={"reason": reason})
        return bulk.follow(invocation, client, job["id"], as_json=as_json)


def _row(job: Any) -> tuple[str, ...]:
    age = format_age(datetime.fromisoformat(job["created_at"]))
    return job["id"], job["act"], job["status"], age, job["key_id"] or NO_VALUE, bulk.describe(job)
