"""Short texts about turns and messages that several commands show."""

import json
from datetime import UTC, datetime

from inturn.events import DataSent, ToolCalled
from inturn.values import Message, Queue, Status, UnansweredQuestion


def format_age(since: datetime) -> str:
    """Return the time since then in its largest unit, such as `5m`."""
    seconds = max(0, int((datetime.now(UTC) - since).total_seconds()))
    for unit, length in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def format_until(at: str) -> str:
    """Return an instant of the service to the minute, such as `2026-11-01 09:30 UTC`."""
    return f"{at[:16].replace('T', ' ')} UTC"


def format_duration(seconds: float | None) -> str:
    """Return the duration in its largest units, such as `1 min 30 s`; `-` for None."""
    if seconds is None:
        return "-"
    if seconds < 100:
        return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.0f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes_left = divmod(minutes, 60)
    return f"{hours} h {minutes_left} min" if hours else f"{minutes} min {rest} s"


def format_status(status: Status, queue: Queue | None) -> str:
    """Return what a live turn does or waits for."""
    if queue is None:
        return {"queued": "Accepted", "in_progress": "The model is answering"}.get(status, status)
    match queue.waiting_for:
        case "turn":
            before = queue.position - 1
            return "Waiting for the previous turn" if before == 1 else f"Waiting for {before} previous turns"
        case "retry":
            at = f" at {queue.retry_at.astimezone():%H:%M:%S}" if queue.retry_at else ""
            return f"Waiting for the model. Asking again{at}"
        case "pause":
            return "Waiting until the service continues"
        case _:
            return "Waiting for a worker"


def format_event(event: ToolCalled | DataSent) -> str:
    """Return one line for a tool or for data."""
    if isinstance(event, DataSent):
        return f"[data] {event.name or ''} {json.dumps(event.data, ensure_ascii=False)}"
    details = event.arguments if event.result is None else event.result
    return f"[tool] {event.name} {event.state}{f': {details}' if details else ''}"


def format_message(message: Message) -> str:
    return f"{'>' if message.role == 'user' else '<'} {message.content}"


def format_entry(entry: Message | UnansweredQuestion) -> str:
    """Return a message, or a question with the reason for which it has no answer."""
    if isinstance(entry, Message):
        return format_message(entry)
    reason = f"{entry.status} ({entry.error_code})" if entry.error_code else entry.status
    return f"> {entry.content}{'…' if entry.truncated else ''}\n! {reason}"
