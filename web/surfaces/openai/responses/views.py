"""A turn as a response."""

import json
from dataclasses import replace
from typing import Any

from turns.domain.error_codes import Code
from turns.domain.run.spending import Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from web.surfaces.openai.content import to_content
from web.surfaces.openai.ids import item_id, to_response_id
from web.surfaces.openai.responses.output import to_output

ERROR_CODES = {
    Code.PROVIDER_RATE_LIMITED: "rate_limit_exceeded",
    Code.CONTEXT_TOO_LONG: "invalid_prompt",
    Code.PROVIDER_REJECTED: "invalid_prompt",
}
REASONS = {"length": "max_output_tokens"}


def to_response(turn: Turn) -> dict[str, Any]:
    """Return the response, without the system prompt and the parameters of its assistant."""
    return {
        "id": to_response_id(turn.id),
        "object": "response",
        "created_at": turn.accepted_at // 1000,
        "status": turn.status.value,
        "background": True,
        "completed_at": turn.finished_at // 1000 if turn.finished_at and turn.status is Status.COMPLETED else None,
        "conversation": None if turn.past is not None else {"id": turn.session_id},
        "error": _error(turn),
        "incomplete_details": _incomplete(turn),
        "instructions": turn.instructions,
        "max_output_tokens": None,
        "metadata": dict(turn.metadata),
        "model": turn.assistant,
        "output": to_output(turn),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "prompt": {"id": turn.assistant, "variables": dict(turn.variables), "version": None}
        if turn.variables
        else None,
        "store": turn.past is None,
        "temperature": None,
        "text": {"format": _format(turn)},
        "tool_choice": "auto",
        "tools": [],
        "top_p": None,
        "truncation": "auto",
        "usage": _usage(turn.usage) if turn.usage else None,
    }


def as_accepted(turn: Turn, status: Status = Status.QUEUED) -> Turn:
    """Return the turn as it was when it was accepted, which is the same in each process and at each time."""
    return replace(
        turn,
        status=status,
        status_reason=None,
        output=None,
        output_parts=None,
        usage=None,
        error_code=None,
        finished_at=None,
    )


def to_input_item(turn: Turn) -> dict[str, Any]:
    """Return the question of a turn."""
    return {
        "id": item_id(turn.id, 0, is_question=True),
        "type": "message",
        "role": "user",
        "status": "completed",
        "content": to_content(turn.input, turn.parts),
    }


def _error(turn: Turn) -> dict[str, Any] | None:
    """Return why the turn failed; `type` is the code of this service, of which the protocol has only a few."""
    if turn.error_code is None:
        return None
    code = ERROR_CODES.get(Code(turn.error_code), "server_error") if turn.error_code in set(Code) else "server_error"
    return {"code": code, "message": turn.error_message, "type": str(turn.error_code)}


def _incomplete(turn: Turn) -> dict[str, Any] | None:
    if turn.status is not Status.INCOMPLETE:
        return None
    return {"reason": REASONS.get(turn.status_reason or ""), "status_reason": turn.status_reason}


def _format(turn: Turn) -> dict[str, Any]:
    form: dict[str, Any] = json.loads(turn.response_format) if turn.response_format else {"type": "text"}
    return {"type": form["type"], **form.get("json_schema", {})}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
