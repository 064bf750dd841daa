"""`inturn chat`."""

import contextlib
from typing import Any

import click

from inturn.cli.commands.sessions import spoken
from inturn.cli.files.last_session import remember
from inturn.cli.options import AboutTheTurn, Invocation, about_the_turn, new_session_id, pass_invocation
from inturn.cli.terminal.answers import as_text, explain_end, run_turn
from inturn.cli.terminal.output import Terminal
from inturn.client import Client
from inturn.errors import AssistantNotFound, InTurnError, SessionNotFound
from inturn.values import TurnBody

HELP = """\
/history [N]  what was said here, or the last N messages of it
/new          a new session
/help         this
/quit         leave, as do Ctrl-D, and Ctrl-C while nothing runs
Ctrl-C        while an answer comes: cancel the turn"""
PROMPT = "> "


@click.command()
@about_the_turn
@pass_invocation
def chat(invocation: Invocation, /, **about: Any) -> None:
    """Talk: answers come as they are written; Ctrl-C cancels the turn that runs.

    The session stays where it is when you leave; `inturn chat -c` goes on with it. Lines that come in by a pipe are
    turns, one after the other.
    """
    with invocation.client() as client:
        body = AboutTheTurn(**about).body(client.connection.base_url)
        Chat(client, invocation.terminal, body).run()


class Chat:
    def __init__(self, client: Client, terminal: Terminal, body: TurnBody) -> None:
        self._client = client
        self._terminal = terminal
        self._body = body

    def run(self) -> None:
        """Until there are no more lines, or somebody leaves."""
        if self._terminal.is_interactive:
            with contextlib.suppress(ImportError):
                import readline  # noqa: F401  # gives `input` its editing
        self._ask_for_variables()
        self._terminal.say(f"Session {self._body['session_id']}. /help says what else there is.")
        while (line := self._read()) is not None and line != "/quit":
            if line.startswith("/"):
                self._obey(line)
            elif line:
                self._take_turn(line)

    def _read(self) -> str | None:
        """None: there is nothing more to read."""
        try:
            return input(PROMPT if self._terminal.is_interactive else "").strip()
        except (EOFError, KeyboardInterrupt):
            self._terminal.say("")
            return None

    def _take_turn(self, text: str) -> None:
        self._body["input"] = text
        try:
            turn = run_turn(self._client, self._terminal, self._body, as_text)
        except InTurnError as error:  # of this turn; the next one may go well
            if not self._terminal.is_interactive:
                raise
            self._terminal.complain(str(error))
            return
        explain_end(self._terminal, turn)
        remember(self._client.connection.base_url, self._body)

    def _obey(self, line: str) -> None:
        command, *words = line.split()
        match command, words:
            case "/history", []:
                self._show_history(None)
            case "/history", [number] if number.isdecimal():
                self._show_history(int(number))
            case "/new", []:
                self._body["session_id"] = new_session_id()
                self._terminal.say(f"Session {self._body['session_id']}.")
            case _:
                self._terminal.say(HELP)

    def _show_history(self, limit: int | None) -> None:
        session_id, user_id = self._body["session_id"], self._body.get("user_id")
        try:
            newest_first = self._client.sessions.messages(session_id, user_id=user_id, order="desc", limit=limit)
            for message in list(newest_first)[::-1]:
                self._terminal.line(spoken(message))
        except SessionNotFound:
            self._terminal.say("Nothing was said here yet.")

    def _ask_for_variables(self) -> None:
        """Whoever is there is asked for what the assistant needs and was not given."""
        if not self._terminal.is_interactive:
            return
        name = self._body.get("assistant") or "default"
        assistant = next((one for one in self._client.assistants.list() if one.name == name), None)
        if assistant is None:
            raise AssistantNotFound(f"There is no assistant {name}.")
        given = dict(self._body.get("variables") or {})
        for variable, declared in assistant.variables.items():
            if declared.required and variable not in given:
                given[variable] = click.prompt(variable, err=True)
        self._body["variables"] = given
