"""The steps of a bulk act, which several commands share: count, ask, create the job, follow it."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.options import DURATION, Invocation
from inturn.client import Client

POLL_SECONDS = 0.5
KINDS = {"cancel": "live turn", "retry": "failed turn", "discard": "failed turn"}

Command = TypeVar("Command", bound=Callable[..., Any])


def conditions(command: Command) -> Command:
    """Add the options that select turns; the command passes their values to `to_query`."""
    return _add(
        command,
        click.option("--tenant", metavar="NAME", help="Turns of this tenant; - is that of a service without keys."),
        click.option("--user", "user_id", metavar="ID", help="Turns of this user."),
        click.option("-s", "--session", "session_id", metavar="ID", help="Turns of this session."),
        click.option("-a", "--assistant", metavar="NAME", help="Turns of this assistant."),
        click.option("--model", metavar="NAME", help="Turns of this model."),
    )


def bulk_options(command: Command) -> Command:
    """Add the options of a bulk act; the command passes their values to `run`."""
    return _add(
        command,
        click.option("--older-than", "seconds", type=DURATION, help="Turns accepted before this time, such as 10m."),
        click.option("--all", "is_all", is_flag=True, help="All turns, if no condition is given."),
        click.option("--per-second", type=click.IntRange(1, 1000), help="Turns per second.  [default: 200]"),
        click.option("--reason", help="Why; recorded in the audit log."),
        click.option("--no-wait", is_flag=True, help="Do not wait for the end of the job; print its id."),
        click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation."),
        click.option("--json", "as_json", is_flag=True, help="Print the job as JSON."),
    )


def to_query(given: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the values of `conditions` as a query."""
    names = ("tenant", "user_id", "session_id", "assistant", "model", "code", "status")
    return {name: given.get(name) for name in names}


def has_conditions(given: Mapping[str, Any]) -> bool:
    """Return whether one of these values of options selects turns."""
    return any(to_query(given).values()) or given["seconds"] is not None or given["is_all"]


def run(invocation: Invocation, act: str, *, turn_ids: tuple[str, ...] = (), **given: Any) -> int:
    """Confirm and carry out a bulk act; return the exit code. `given` are the values of all options."""
    if turn_ids and has_conditions(given):
        raise click.UsageError("Give ids of turns, or conditions.")
    with invocation.client() as client:
        named = {"turn_ids": list(turn_ids), **_poison(given)}
        target = named if turn_ids else _confirmed(invocation, client, act, given)
        if target is None:
            return Exit.OK
        more = {"per_second": given["per_second"], "reason": given["reason"]}
        job_id = f"{act}-{secrets.token_hex(8)}"
        job = client.operator.call("PUT", f"jobs/{job_id}", body={"act": act, **target, **more})
        if given["no_wait"]:
            _print_job(invocation, job, as_json=given["as_json"])
            return Exit.OK
        return follow(invocation, client, job_id, as_json=given["as_json"])


def follow(invocation: Invocation, client: Client, job_id: str, *, as_json: bool) -> int:
    """Show the progress of a job until its end; return the exit code. Ctrl-C leaves the job running."""
    shown = ""
    try:
        while (job := _read(client, job_id))["finished_at"] is None:
            if (text := describe(job)) != shown:
                invocation.terminal.print_notice(text)
                shown = text
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        invocation.terminal.print_error(f"The job continues. Stop it with `inturn jobs stop {job_id}`.")
        raise
    _print_job(invocation, job, as_json=as_json)
    if job["status"] == "stopped":
        return Exit.CANCELLED
    return Exit.REFUSED if job["refused"] else Exit.OK


def describe(job: Any) -> str:
    """Return the progress of a job in one line."""
    if job["status"] == "collecting":
        return "Counting the turns…"
    numbers = {name: job[name] for name in ("skipped", "refused", "left_out") if job[name]}
    remarks = [f"{number:,} {name.replace('_', ' ')}" for name, number in numbers.items()]
    if job["refused"]:
        remarks.append(f"last refusal: {job['refusal']}")
    if job["blocked_by"] and not job["finished_at"]:
        remarks.append(f"waits: {job['blocked_by']}")
    return "; ".join([f"{job['done']:,} of {job['total']:,} done", *remarks])


def _confirmed(invocation: Invocation, client: Client, act: str, given: Mapping[str, Any]) -> dict[str, object] | None:
    """Return the turns to act on, which the user has confirmed, or None if there are none."""
    query = to_query(given)
    if given["seconds"] is not None:
        query["accepted_before"] = (datetime.now(UTC) - timedelta(seconds=given["seconds"])).isoformat()
    if not has_conditions(given):
        raise click.UsageError("Give a condition, such as --tenant, or --all.")
    poison = _poison(given)
    preview: Any = client.operator.call("GET", "preview", query={"act": act, **query, **dict.fromkeys(poison, "true")})
    if not preview["count"]:
        left_out = f" {preview['left_out']:,} that probably end their workers are left out." * bool(preview["left_out"])
        invocation.terminal.print_error(f"No turn matches.{left_out}")
        return None
    _ask(invocation, act, preview, is_confirmed=given["yes"])
    return {**query, **poison, "all": True, "before": preview["before"]}


def _poison(given: Mapping[str, Any]) -> dict[str, bool]:
    return {"include_poison": True} if given.get("include_poison") else {}


def _ask(invocation: Invocation, act: str, preview: Any, *, is_confirmed: bool) -> None:
    """Show what will be done. Raise `Abort` if the user does not want it."""
    number = f"{'' if preview['is_complete'] else 'more than '}{preview['count']:,}"
    question = f"{act.title()} {number} {KINDS[act]}{'' if preview['count'] == 1 else 's'}"
    if is_confirmed:
        invocation.terminal.print_notice(f"{question}…")
        return
    if not invocation.terminal.stdin_is_terminal:
        raise click.UsageError(f"{question}? Add --yes to do it without this question.")
    for line in _details(preview):
        click.echo(line, err=True)
    click.confirm(f"{question}?", abort=True, err=True)


def _details(preview: Any) -> Iterator[str]:
    for name in ("by_code", "by_tenant"):
        yield f"{name.replace('_', ' ')}: {', '.join(f'{key} {count:,}' for key, count in preview[name].items())}"
    if preview["left_out"]:
        yield f"left out, because they probably end their workers: {preview['left_out']:,}"


def _read(client: Client, job_id: str) -> Any:
    return client.operator.call("GET", f"jobs/{job_id}")


def _print_job(invocation: Invocation, job: Any, *, as_json: bool) -> None:
    if as_json:
        invocation.terminal.write_json(job)
    else:
        invocation.terminal.write_line(f"{job['id']}\t{job['status']}\t{describe(job)}")


def _add(command: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        command = option(command)
    return command
