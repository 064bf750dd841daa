"""The command group `inturn sessions`."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, cast

import click

from inturn.cli.files.message_file import InvalidMessageFile, parse_messages
from inturn.cli.options import (
    Invocation,
    OrderedGroup,
    json_option,
    limit_option,
    new_session_id,
    pass_invocation,
    user_option,
)
from inturn.cli.terminal.formatting import format_age, format_entry
from inturn.values import Message, Session, SessionChanges, SessionFilters, UnansweredQuestion

session_argument = click.argument("session_id")


def parse_labels(_context: click.Context, _parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str | None]:
    """Return the entries; one without a value is None, which removes the label. Raise `click.BadParameter`."""
    labels = {name: value or None for name, _, value in (text.partition("=") for text in texts)}
    if "" in labels:
        raise click.BadParameter("must be NAME=VALUE")
    return labels


def parse_retention(_context: click.Context, _parameter: click.Parameter, text: str | None) -> dict[str, float | None]:
    """Return the change of the retention, {} for none. Raise `click.BadParameter`."""
    if text is None:
        return {}
    if text == "forever":
        return {"ttl_seconds": None}
    try:
        return {"ttl_seconds": float(text)}
    except ValueError:
        raise click.BadParameter("must be a number of seconds, or forever") from None


@click.group(cls=OrderedGroup)
def sessions() -> None:
    """List, show, edit, export, import and erase sessions."""


@sessions.command("ls")
@click.argument("words", nargs=-1)
@user_option
@click.option(
    "--label", "labels", multiple=True, metavar="NAME=VALUE", callback=parse_labels, help="Only with this label."
)
@click.option("--archived", is_flag=True, help="Only archived ones.")
@limit_option
@json_option
@pass_invocation
def list_sessions(
    invocation: Invocation,
    /,
    *,
    words: tuple[str, ...],
    user_id: str | None,
    labels: dict[str, str | None],
    archived: bool,
    limit: int,
    as_json: bool,
) -> None:
    """List sessions, most recently active first, with titles that contain WORDS."""
    filters: SessionFilters = {"user_id": user_id, "metadata": {name: text or "" for name, text in labels.items()}}
    filters |= {"archived": archived or None, "q": " ".join(words) or None}
    with invocation.client() as client:
        found = client.sessions.list(limit=limit, **filters)
        if as_json:
            for session in found:
                invocation.terminal.write_json(session.raw)
            return
        invocation.terminal.write_table(["SESSION", "USER", "STATUS", "MESSAGES", "ACTIVE", "TITLE"], map(_row, found))


@sessions.command()
@session_argument
@user_option
@click.option("-n", "--limit", type=click.IntRange(1), help="Only the last N messages.")
@json_option
@pass_invocation
def show(invocation: Invocation, /, *, session_id: str, user_id: str | None, limit: int | None, as_json: bool) -> None:
    """Show the messages of a session, and the questions that have no answer."""
    terminal = invocation.terminal
    with invocation.client() as client:
        if limit is None:
            messages = list(client.sessions.messages(session_id, user_id=user_id))
        else:
            messages = list(client.sessions.messages(session_id, user_id=user_id, order="desc", limit=limit))[::-1]
        for entry in merge(messages, client.sessions.unanswered(session_id, user_id=user_id)):
            terminal.write_json(entry.raw) if as_json else terminal.write_line(format_entry(entry))
        session = client.sessions.get(session_id, user_id=user_id)
    if session.status == "busy":
        terminal.print_notice(f"Turn {session.running_turn} is running; {len(session.queued_turns)} are queued.")


def merge(
    messages: Sequence[Message], unanswered: Sequence[UnansweredQuestion]
) -> Sequence[Message | UnansweredQuestion]:
    """Return both in their order, without the questions before the first of these messages."""
    begin = messages[0].number - 1 if messages else 0
    placed: list[tuple[int, Message | UnansweredQuestion]] = [(message.number, message) for message in messages]
    placed += [(question.after, question) for question in unanswered if question.after >= begin]
    return [entry for _, entry in sorted(placed, key=lambda one: one[0])]  # the message first, then what follows it


@sessions.command()
@session_argument
@user_option
@click.option("--title", help="Title; an empty one restores that of the first message.")
@click.option(
    "--label",
    "labels",
    multiple=True,
    metavar="NAME=VALUE",
    callback=parse_labels,
    help="Label to set; without a value, to remove.",
)
@click.option("--archived/--no-archived", default=None, help="Archive it, or take it back.")
@click.option(
    "--keep", "kept_for", metavar="SECONDS", callback=parse_retention, help="Time to keep it idle, or forever."
)
@json_option
@pass_invocation
def edit(
    invocation: Invocation,
    /,
    *,
    session_id: str,
    user_id: str | None,
    title: str | None,
    labels: dict[str, str | None],
    archived: bool | None,
    kept_for: dict[str, float | None],
    as_json: bool,
) -> None:
    """Change the title, labels or the retention of a session, or archive it."""
    changes = cast("SessionChanges", {**kept_for})
    if title is not None:
        changes["title"] = title or None
    if labels:
        changes["metadata"] = labels
    if archived is not None:
        changes["archived"] = archived
    if not changes:
        raise click.UsageError("Nothing to change: use --title, --label, --archived or --keep.")
    with invocation.client() as client:
        session = client.sessions.update(session_id, user_id=user_id, **changes)
    invocation.terminal.write_json(session.raw) if as_json else invocation.terminal.write_line(session.title or "")


@sessions.command()
@session_argument
@user_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Output file.  [stdout]")
@pass_invocation
def export(invocation: Invocation, /, *, session_id: str, user_id: str | None, output: Path | None) -> None:
    """Write all messages of a session as JSON, one object per line."""
    with invocation.client() as client:
        messages = client.sessions.messages(session_id, user_id=user_id)
        if output is None:
            for message in messages:
                invocation.terminal.write_json(message.raw)
        else:
            output.write_text("".join(f"{json.dumps(message.raw)}\n" for message in messages), encoding="utf-8")


@sessions.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("-s", "--session", "session_id", metavar="ID", help="Session id; a new session by default.")
@user_option
@json_option
@pass_invocation
def import_messages(
    invocation: Invocation, /, *, file: BinaryIO, session_id: str | None, user_id: str | None, as_json: bool
) -> None:
    """Begin a session with the messages in FILE, which can be - for stdin.

    FILE is the output of `export`, or a JSON array from LangChain's messages_to_dict; its system and tool messages are
    skipped. The session must have no messages and no live turn. Either all messages are imported or none; repeating
    the same command for the same session changes nothing. Prints the session's id.

    \b
      inturn sessions export foobar | inturn sessions import - -s copy
    """
    terminal, session_id = invocation.terminal, session_id or new_session_id()
    try:
        parsed = parse_messages(file.read())
    except InvalidMessageFile as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    with invocation.client() as client:
        session = client.sessions.import_messages(session_id, parsed.messages, user_id=user_id)
    terminal.write_json(session.raw) if as_json else terminal.write_line(session.session_id)
    if parsed.skipped:
        terminal.print_error(f"Skipped {parsed.skipped} without text of a user or a model.")
    terminal.print_notice(
        f"Imported {len(parsed.messages)} messages. Continue with `inturn chat -s {session.session_id}`."
    )


@sessions.command()
@click.argument("session_ids", nargs=-1, required=True, metavar="SESSION_ID…")
@user_option
@click.option("-y", "--yes", is_flag=True, help="Do not ask for confirmation.")
@pass_invocation
def rm(invocation: Invocation, /, *, session_ids: tuple[str, ...], user_id: str | None, yes: bool) -> None:
    """Erase sessions with their history, turns and results.

    Live turns are cancelled. This cannot be undone.
    """
    if not yes and not invocation.terminal.stdin_is_terminal:
        raise click.UsageError("Cannot ask for confirmation without a terminal; use --yes to erase without asking.")
    if not yes:
        click.confirm(f"Erase {', '.join(session_ids)}?", abort=True, err=True)
    with invocation.client() as client:
        for session_id in session_ids:
            client.sessions.delete(session_id, user_id=user_id)
            invocation.terminal.print_notice(f"Erased {session_id}.")


def _row(session: Session) -> tuple[str, ...]:
    active = format_age(session.last_active_at) if session.last_active_at else ""
    title = session.title or ""
    return session.session_id, session.user_id or "", session.status, str(session.message_count), active, title
