"""Values of the domain as JSON."""

from datetime import UTC, datetime
from typing import Any

from turns.codes import MESSAGES
from turns.messages import Message, Page
from turns.turn import Turn, Waiting


def render_turn(turn: Turn) -> dict[str, Any]:
    link = f"/v1/turns/{turn.id}"
    return {
        "id": turn.id,
        "object": "turn",
        "session_id": turn.session_id,
        "user_id": turn.user_id,
        "sequence": turn.sequence,
        "status": turn.status,
        "status_reason": turn.status_reason,
        "attempt": turn.attempt,
        "assistant": turn.assistant,
        "model": turn.model,
        "input": turn.input,
        "output": None if turn.output is None else {"role": "assistant", "content": turn.output},
        "usage": _usage(turn),
        "error": None if turn.error_code is None else {"code": turn.error_code, "message": MESSAGES[turn.error_code]},
        "queue": None if turn.waiting is None else _waiting(turn.waiting),
        "retry_of": turn.retry_of,
        "metadata": dict(turn.metadata),
        "accepted_at": _instant(turn.accepted_at),
        "started_at": _instant(turn.started_at),
        "finished_at": _instant(turn.finished_at),
        "expires_at": _instant(turn.expires_at),
        "links": {"self": link, "cancel": f"{link}/cancel", "messages": _messages_link(turn)},
    }


def render_page(page: Page) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [_message(message) for message in page.messages],
        "has_more": page.after is not None,
        "after": page.after,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "object": "message",
        "number": message.number,
        "role": message.role,
        "content": message.content,
        "turn_id": message.turn_id,
    }


def _usage(turn: Turn) -> dict[str, int] | None:
    if turn.usage is None:
        return None
    return {
        "input_tokens": turn.usage.input_tokens,
        "output_tokens": turn.usage.output_tokens,
        "total_tokens": turn.usage.total_tokens,
    }


def _waiting(waiting: Waiting) -> dict[str, Any]:
    return {
        "position": waiting.position,
        "waiting_for": waiting.waiting_for,
        "turn_id": waiting.turn_id,
        "retry_at": _instant(waiting.retry_at),
    }


def _messages_link(turn: Turn) -> str:
    user = f"?user_id={turn.user_id}" if turn.user_id else ""
    return f"/v1/sessions/{turn.session_id}/messages{user}"


def _instant(milliseconds: int | None) -> str | None:
    """RFC 3339 in UTC with milliseconds."""
    if milliseconds is None:
        return None
    instant = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")
