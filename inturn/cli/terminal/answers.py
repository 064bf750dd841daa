"""Run a turn and print its answer. Ctrl-C cancels the turn."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeAlias

from inturn.cli.terminal.formatting import format_event, format_status
from inturn.cli.terminal.output import Terminal
from inturn.cli.terminal.spinner import Spinner
from inturn.client import Client, Turn
from inturn.events import DataSent, Delta, Done, Event, Reasoning, Reset, StatusChanged, ToolCalled
from inturn.protocol.resources import new_idempotency_key
from inturn.values import Queue, TurnBody

NAMES: dict[type, str] = {
    Delta: "delta",
    Reasoning: "reasoning",
    ToolCalled: "tool",
    DataSent: "data",
    Reset: "reset",
}

AnswerPrinter: TypeAlias = Callable[[Terminal, Turn], Turn]


def run_turn(client: Client, terminal: Terminal, body: TurnBody, print_answer: AnswerPrinter) -> Turn:
    """Submit a turn, print its answer with `print_answer` and return the ended turn."""
    key = new_idempotency_key()
    turn: Turn | None = None
    try:
        turn = client.turns.create(**body, idempotency_key=key)
        return print_answer(terminal, turn)
    except KeyboardInterrupt:
        # If Ctrl-C interrupted the submission, the turn may exist; the same key returns it.
        return _cancel(terminal, turn or client.turns.create(**body, idempotency_key=key))


def _cancel(terminal: Terminal, turn: Turn) -> Turn:
    ended = turn.cancel()
    if ended.status == "cancelled":
        terminal.print_notice("\nCancelled. This turn is not added to the session.")
    else:
        terminal.print_notice(f"\nToo late to cancel: the turn is {ended.status}.")
    return ended


def stream_text(terminal: Terminal, turn: Turn, *, with_events: bool = False) -> Turn:
    """Print the answer while it is generated. With events, print reasoning, tools and data to stderr too."""
    with Spinner(terminal) as spinner:
        has_text = False
        details = EventDetails(terminal)
        for event in turn.stream():
            match event:
                case StatusChanged(status, queue):
                    spinner.show(format_status(status, queue)) if not has_text else None
                case Delta(text):
                    spinner.stop()
                    details.end_line()
                    terminal.write(text)
                    has_text = True
                case Reset() if has_text:
                    terminal.write("\n")
                    terminal.print_error("The attempt failed. The answer starts again.")
                    has_text = False
                case Done(ended):
                    terminal.write("\n" if has_text else "")
                    return ended
                case Reasoning() | ToolCalled() | DataSent() if with_events:
                    spinner.stop()
                    details.show(event)
    raise AssertionError("a stream ends with Done")


class EventDetails:
    """Prints reasoning as it comes, and a line for each other event."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._is_in_line = False

    def show(self, event: Reasoning | ToolCalled | DataSent) -> None:
        if isinstance(event, Reasoning):
            self._terminal.print_detail(event.text, ends_line=False)
            self._is_in_line = True
            return
        self.end_line()
        self._terminal.print_detail(format_event(event))

    def end_line(self) -> None:
        """End the line of reasoning, if there is one."""
        if self._is_in_line:
            self._terminal.print_detail("")
            self._is_in_line = False


def stream_json(terminal: Terminal, turn: Turn) -> Turn:
    """Print each event as a line of JSON."""
    ended = turn
    for event in turn.stream():
        terminal.write_json(event_json(event))
        if isinstance(event, Done):
            ended = event.turn
    return ended


def print_when_ended(*, timeout: float | None, as_json: bool) -> AnswerPrinter:
    """Return a printer that prints nothing before the turn has ended."""

    def print_answer(terminal: Terminal, turn: Turn) -> Turn:
        with Spinner(terminal) as spinner:
            spinner.show("Waiting for the answer")
            ended = turn.wait(timeout)
        if as_json:
            terminal.write_json(ended.raw)
        elif ended.output is not None:
            terminal.write_line(ended.output)
        return ended

    return print_answer


def event_json(event: Event[Turn]) -> dict[str, Any]:
    """Return the event's data as the service sent it, with its name as `event`."""
    match event:
        case StatusChanged(status, queue):
            return {"event": "status", "status": status, "queue": _queue_json(queue)}
        case Done(turn):
            return {"event": "done", "turn": turn.raw}
        case _:
            return {"event": NAMES[type(event)], **asdict(event)}


def _queue_json(queue: Queue | None) -> dict[str, Any] | None:
    if queue is None:
        return None
    values = asdict(queue).items()
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in values}


def print_problem(terminal: Terminal, turn: Turn) -> None:
    """Print an error if the turn ended without a complete answer, unless the caller cancelled it."""
    if turn.status == "completed":
        if turn.status_reason == "length":
            terminal.print_error("The answer was cut off at the model's limit.")
    elif turn.status in {"failed", "incomplete"}:
        reason = f"The turn is {turn.status}: {turn.status_reason}."
        terminal.print_error(f"{turn.error.message} ({turn.error.code})" if turn.error else reason)
