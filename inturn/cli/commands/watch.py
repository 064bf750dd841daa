"""The command `inturn watch`."""

import click

from inturn.cli.options import Invocation, json_option, pass_invocation, user_option
from inturn.cli.terminal.formatting import format_event
from inturn.cli.terminal.output import Terminal
from inturn.client import Turn
from inturn.events import (
    Accepted,
    DataSent,
    Delta,
    Done,
    Erased,
    MessageDeleted,
    Reset,
    SessionEvent,
    Snapshot,
    StatusChanged,
    ToolCalled,
)


@click.command()
@click.argument("session_id")
@user_option
@click.option("--until-idle", is_flag=True, help="Exit when no turn is running or queued.")
@json_option
@pass_invocation
def watch(invocation: Invocation, /, *, session_id: str, user_id: str | None, until_idle: bool, as_json: bool) -> None:
    """Follow a session: print the questions and answers of all its turns as they come.

    Continues across broken connections and restarts of the service. Ctrl-C ends the command and cancels nothing.
    """
    conversation = Conversation(invocation.terminal)
    with invocation.client() as client:
        for sent in client.sessions.stream(session_id, user_id=user_id, until_idle=until_idle):
            if as_json:
                invocation.terminal.write_json({"event": sent.name, **sent.raw})
            else:
                conversation.show(sent)


class Conversation:
    """Prints the events of a session as questions and answers."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._questions: dict[str, str] = {}  # not printed yet, by turn id
        self._is_in_line = False

    def show(self, sent: SessionEvent[Turn]) -> None:
        """Print an event."""
        turn_id = sent.turn_id or ""
        match sent.event:
            case Snapshot():
                self._begin(sent.event)
            case Accepted(turn):
                self._questions[turn.id] = turn.input
            case StatusChanged("in_progress"):
                self._ask(turn_id)
            case Delta(text):
                self._write(text)
            case Reset():
                self._notify("The attempt failed. The answer starts again.")
            case Done(turn):
                self._end(turn)
            case ToolCalled() | DataSent():
                self._end_line()
                self._terminal.print_detail(format_event(sent.event))
            case MessageDeleted():
                self._notify(f"The messages of {turn_id} were deleted or replaced.")
            case Erased():
                self._notify("The session was erased.")

    def _begin(self, snapshot: Snapshot[Turn]) -> None:
        if snapshot.is_gap:
            self._notify("Some events were missed. `inturn sessions show` has all messages.")
        self._questions = {turn.id: turn.input for turn in snapshot.turns}
        if snapshot.turns and snapshot.turns[0].status == "in_progress":
            self._ask(snapshot.turns[0].id)
            self._write(snapshot.text)

    def _ask(self, turn_id: str) -> None:
        if question := self._questions.pop(turn_id, None):
            self._end_line()
            self._terminal.write_line(f"> {question}")

    def _end(self, turn: Turn) -> None:
        self._ask(turn.id)
        if turn.status != "completed":
            self._notify(f"The turn is {turn.status}.")
        self._end_line()

    def _notify(self, text: str) -> None:
        self._end_line()
        self._terminal.print_error(text)

    def _write(self, text: str) -> None:
        self._terminal.write(text)
        self._is_in_line = self._is_in_line or bool(text)

    def _end_line(self) -> None:
        if self._is_in_line:
            self._terminal.write("\n")
            self._is_in_line = False
