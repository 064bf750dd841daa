"""One turn from its submission to its end, with somebody at the terminal. Ctrl-C cancels it."""

from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, TypeAlias

from inturn.cli.terminal.output import Terminal
from inturn.cli.terminal.spinner import WaitingLine, in_words
from inturn.client import Client, Turn
from inturn.events import Delta, Done, Event, Reset, StatusChanged
from inturn.protocol.resources import new_key
from inturn.values import TurnBody

Show: TypeAlias = Callable[[Terminal, Turn], Turn]


def run_turn(client: Client, terminal: Terminal, body: TurnBody, show: Show) -> Turn:
    """The turn, which has ended; what `show` makes of its answer has been shown."""
    key = new_key()
    turn: Turn | None = None
    try:
        turn = client.turns.create(**body, idempotency_key=key)
        return show(terminal, turn)
    except KeyboardInterrupt:
        # If Ctrl-C came before the turn's id did, the key gives it.
        return _cancel(terminal, turn or client.turns.create(**body, idempotency_key=key))


def _cancel(terminal: Terminal, turn: Turn) -> Turn:
    ended = turn.cancel()
    if ended.status == "cancelled":
        terminal.say("\nCancelled. Nothing of this turn enters the session.")
    else:
        terminal.say(f"\nToo late to cancel: the turn is {ended.status}.")
    return ended


def as_text(terminal: Terminal, turn: Turn) -> Turn:
    """The answer is written as it comes."""
    with WaitingLine(terminal) as waiting:
        has_text = False
        for event in turn.stream():
            match event:
                case StatusChanged(status, queue):
                    waiting.show(in_words(status, queue)) if not has_text else None
                case Delta(text):
                    waiting.end()
                    terminal.write(text)
                    has_text = True
                case Reset() if has_text:
                    terminal.write("\n")
                    terminal.complain("That run broke off; the answer begins again.")
                    has_text = False
                case Done(ended):
                    terminal.write("\n" if has_text else "")
                    return ended
    raise AssertionError("a stream ends with Done")


def as_events(terminal: Terminal, turn: Turn) -> Turn:
    """Each event is a line of JSON."""
    ended = turn
    for event in turn.stream():
        terminal.json(event_json(event))
        if isinstance(event, Done):
            ended = event.turn
    return ended


def when_ended(*, timeout: float | None, as_json: bool) -> Show:
    """Nothing is written before the end."""

    def show(terminal: Terminal, turn: Turn) -> Turn:
        with WaitingLine(terminal) as waiting:
            waiting.show("Waits for the answer")
            ended = turn.wait(timeout)
        if as_json:
            terminal.json(ended.raw)
        elif ended.output is not None:
            terminal.line(ended.output)
        return ended

    return show


def event_json(event: Event[Turn]) -> dict[str, Any]:
    """As the service sends it, with its name."""
    match event:
        case StatusChanged(status, queue):
            return {"event": "status", "status": status, "queue": plain(queue)}
        case Delta(text):
            return {"event": "delta", "text": text}
        case Reset(reason):
            return {"event": "reset", "reason": reason}
        case Done(turn):
            return {"event": "done", "turn": turn.raw}


def plain(value: Any) -> Any:
    """A value as JSON takes it."""
    if is_dataclass(value) and not isinstance(value, type):
        return {name: plain(held) for name, held in asdict(value).items()}
    return value.isoformat() if isinstance(value, datetime) else value


def explain_end(terminal: Terminal, turn: Turn) -> None:
    """Said, if it is not what was hoped for."""
    if turn.status == "completed":
        if turn.status_reason == "length":
            terminal.complain("The answer was cut at the model's limit.")
    elif turn.status != "cancelled":
        why = turn.error.message if turn.error else f"It is {turn.status}: {turn.status_reason}."
        code = f" ({turn.error.code})" if turn.error else ""
        terminal.complain(f"{why}{code}")
