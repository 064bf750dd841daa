"""`inturn sessions`."""

import json
from pathlib import Path
from typing import BinaryIO

import click

from inturn.cli.commands.turns import age
from inturn.cli.files.message_file import NoMessages, read_messages
from inturn.cli.options import InOrder, Invocation, as_json, new_session_id, pass_invocation, user
from inturn.values import Message, Session

one = click.argument("session_id")


@click.group(cls=InOrder)
def sessions() -> None:
    """Look at sessions, keep a copy, bring it back, erase them."""


@sessions.command("ls")
@click.option("-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many.")
@as_json
@pass_invocation
def list_sessions(invocation: Invocation, /, *, limit: int, as_json: bool) -> None:
    """List sessions, the last active first."""
    with invocation.client() as client:
        found = client.sessions.list(limit=limit)
        if as_json:
            for one_session in found:
                invocation.terminal.json(one_session.raw)
            return
        invocation.terminal.table(["SESSION", "USER", "STATUS", "MESSAGES", "ACTIVE"], map(_row, found))


@sessions.command()
@one
@user
@click.option("-n", "--limit", type=click.IntRange(1), help="Only the last so many messages.")
@as_json
@pass_invocation
def show(invocation: Invocation, /, *, session_id: str, user_id: str | None, limit: int | None, as_json: bool) -> None:
    """Show what was said in a session."""
    terminal = invocation.terminal
    with invocation.client() as client:
        if limit is None:
            messages = list(client.sessions.messages(session_id, user_id=user_id))
        else:
            messages = list(client.sessions.messages(session_id, user_id=user_id, order="desc", limit=limit))[::-1]
        for message in messages:
            terminal.json(message.raw) if as_json else terminal.line(spoken(message))
        found = client.sessions.get(session_id, user_id=user_id)
    if found.status == "busy":
        terminal.say(f"A turn runs ({found.running_turn}); {len(found.queued_turns)} wait.")


@sessions.command()
@one
@user
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Where to.  [stdout]")
@pass_invocation
def export(invocation: Invocation, /, *, session_id: str, user_id: str | None, output: Path | None) -> None:
    """Write all messages of a session, one JSON object a line."""
    with invocation.client() as client:
        messages = client.sessions.messages(session_id, user_id=user_id)
        if output is None:
            for message in messages:
                invocation.terminal.json(message.raw)
        else:
            output.write_text("".join(f"{json.dumps(message.raw)}\n" for message in messages), encoding="utf-8")


@sessions.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("-s", "--session", "session_id", metavar="ID", help="The session; a new one if not named.")
@user
@as_json
@pass_invocation
def import_messages(
    invocation: Invocation, /, *, file: BinaryIO, session_id: str | None, user_id: str | None, as_json: bool
) -> None:
    """Begin a session with the messages in FILE, which can be - for stdin.

    FILE is what `export` wrote, or a JSON array as LangChain's messages_to_dict gives it; its system and tool messages
    are left out. The session must have no messages and no live turn. All are written, or none; the same command for
    the same session a second time changes nothing. Writes the session's id.

    \b
      inturn sessions export foobar | inturn sessions import - -s copy
    """
    terminal, session_id = invocation.terminal, session_id or new_session_id()
    try:
        found = read_messages(file.read())
    except NoMessages as error:
        raise click.ClickException(f"{file.name}: {error}") from None
    with invocation.client() as client:
        session = client.sessions.import_messages(session_id, found.messages, user_id=user_id)
    terminal.json(session.raw) if as_json else terminal.line(session.session_id)
    if found.left_out:
        terminal.complain(f"{found.left_out} left out: no text of a user or a model.")
    terminal.say(f"{len(found.messages)} messages; `inturn chat -s {session.session_id}` goes on from there.")


@sessions.command()
@click.argument("session_ids", nargs=-1, required=True, metavar="SESSION_ID…")
@user
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@pass_invocation
def rm(invocation: Invocation, /, *, session_ids: tuple[str, ...], user_id: str | None, yes: bool) -> None:
    """Erase sessions: their history, their turns, their results.

    What is live in them is cancelled. It cannot be undone.
    """
    if not yes and not invocation.terminal.has_keyboard:
        raise click.UsageError("Nobody is there to be asked; --yes erases without asking.")
    if not yes:
        click.confirm(f"Erase {', '.join(session_ids)}?", abort=True, err=True)
    with invocation.client() as client:
        for session_id in session_ids:
            client.sessions.delete(session_id, user_id=user_id)
            invocation.terminal.say(f"{session_id} is erased.")


def spoken(message: Message) -> str:
    return f"{'>' if message.role == 'user' else '<'} {message.content}"


def _row(found: Session) -> tuple[str, ...]:
    active = age(found.last_active_at) if found.last_active_at else ""
    return found.session_id, found.user_id or "", found.status, str(found.message_count), active
