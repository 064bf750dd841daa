"""The command `inturn chat`."""

import contextlib
from typing import Any

import click

from inturn.cli.files.last_session import save_last_session
from inturn.cli.options import Invocation, TurnArguments, new_session_id, pass_invocation, turn_options
from inturn.cli.terminal.answers import print_problem, run_turn, stream_text
from inturn.cli.terminal.formatting import format_message
from inturn.cli.terminal.output import Terminal
from inturn.client import Client
from inturn.errors import AssistantNotFound, InTurnError, SessionNotFound
from inturn.values import TurnBody

HELP = """\
/history [N]  show the session's messages, or the last N of them
/new          start a new session
/help         show this list
/quit         leave; so do Ctrl-D, and Ctrl-C at the prompt
Ctrl-C        cancel the running turn"""
PROMPT = "> "


@click.command()
@turn_options
@pass_invocation
def chat(invocation: Invocation, /, **arguments: Any) -> None:
    """Chat in the terminal. Answers are streamed; Ctrl-C cancels the running turn.

    The session is kept when you leave; `inturn chat -c` continues it. Lines from a pipe are sent as turns, one after
    the other.
    """
    with invocation.client() as client:
        body = TurnArguments(**arguments).to_body(client.connection.base_url)
        Chat(client, invocation.terminal, body).run()


class Chat:
    """One chat. `body` is the template of its turns."""

    def __init__(self, client: Client, terminal: Terminal, body: TurnBody) -> None:
        self._client = client
        self._terminal = terminal
        self._body = body

    def run(self) -> None:
        """Send each line as a turn until the input ends or the user quits."""
        if self._terminal.is_interactive:
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401  # importing it gives `input` line editing and history
        self._prompt_for_variables()
        self._terminal.print_notice(f"Session {self._body['session_id']}. Type /help for commands.")
        while (text := self._read_input()) is not None and text != "/quit":
            if text.startswith("/"):
                self._run_command(text)
            elif text:
                self._run_turn(text)

    def _read_input(self) -> str | None:
        """Return the next line, or None at the end of the input and after Ctrl-C."""
        try:
            return input(PROMPT if self._terminal.is_interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            self._terminal.print_notice("")
            return None

    def _run_turn(self, text: str) -> None:
        self._body["input"] = text
        try:
            turn = run_turn(self._client, self._terminal, self._body, stream_text)
        except InTurnError as error:  # this turn was refused; the user can still send others
            if not self._terminal.is_interactive:
                raise
            self._terminal.print_error(str(error))
            return
        print_problem(self._terminal, turn)
        save_last_session(self._client.connection.base_url, self._body)

    def _run_command(self, text: str) -> None:
        match text.split():
            case ["/history"]:
                self._show_history(None)
            case ["/history", number] if number.isdecimal():
                self._show_history(int(number))
            case ["/new"]:
                self._body["session_id"] = new_session_id()
                self._terminal.print_notice(f"Session {self._body['session_id']}.")
            case _:
                self._terminal.print_notice(HELP)

    def _show_history(self, limit: int | None) -> None:
        session_id, user_id = self._body["session_id"], self._body.get("user_id")
        try:
            newest_first = self._client.sessions.messages(session_id, user_id=user_id, order="desc", limit=limit)
            for message in list(newest_first)[::-1]:
                self._terminal.write_line(format_message(message))
        except SessionNotFound:
            self._terminal.print_notice("This session has no messages yet.")

    def _prompt_for_variables(self) -> None:
        """Ask the user for required variables of the assistant that were not passed as options."""
        if not self._terminal.is_interactive:
            return
        name = self._body.get("assistant") or "default"
        assistant = next((found for found in self._client.assistants.list() if found.name == name), None)
        if assistant is None:
            raise AssistantNotFound(f"There is no assistant {name}.")
        values = dict(self._body.get("variables") or {})
        for variable, declaration in assistant.variables.items():
            if declaration.required and variable not in values:
                purpose = f" ({declaration.description})" if declaration.description else ""
                values[variable] = click.prompt(f"{variable}{purpose}", err=True)
        self._body["variables"] = values
