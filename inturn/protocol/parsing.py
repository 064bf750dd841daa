"""Conversion of the service's JSON to values.

Raises `ServiceBroken` for missing or invalid fields; fields that this version does not know are kept in `raw`.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

from inturn.errors import FieldError, InTurnError, InvalidRequest, PartitionsAway, ServiceBroken
from inturn.events import StatusChanged, ToolCalled
from inturn.protocol.error_codes import BY_STATUS, error_class
from inturn.protocol.requests import Response
from inturn.values import (
    Assistant,
    Failure,
    Json,
    Message,
    Queue,
    Readiness,
    ServiceStatus,
    Session,
    UnansweredQuestion,
    Usage,
    Variable,
)

Value = TypeVar("Value")

PROBLEM_TYPE = "urn:inturn:problem:"


def parse(response: Response, build: Callable[[Json], Value]) -> Value:
    """Return the value that `build` makes from the response's JSON. Raise `ServiceBroken`."""
    try:
        body = json_object(response)
        warn_if_incomplete(body)
        return build(body)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServiceBroken(
            f"This is not a response of InTurn ({type(error).__name__}: {error}). Is the URL right?",
            status=response.status,
            request_id=response.request_id,
        ) from error


def warn_if_incomplete(body: Json) -> None:
    """Warn if the service has left out what it cannot reach now."""
    if missing := body.get("missing_partitions"):
        names = ", ".join(map(str, missing))
        warnings.warn(f"What is in these partitions of the store is missing: {names}.", PartitionsAway, stacklevel=2)


def json_object(response: Response) -> Json:
    """Return the body. Raise `ValueError` if it is not a JSON object."""
    body = json.loads(response.body)
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")  # a ValueError, like those of json.loads, so that callers catch one type
    return body


def to_error(response: Response) -> InTurnError:
    """Convert an error response to an exception; only the status counts if another program sent it."""
    try:
        problem = json_object(response)
    except ValueError:
        problem = {}  # an error page of a proxy
    if not str(problem.get("type")).startswith(PROBLEM_TYPE):
        problem = {}
    problem.setdefault("request_id", response.request_id)
    return problem_to_error(problem, status=response.status, retry_after=retry_after_seconds(response))


def problem_to_error(problem: Json, *, status: int, retry_after: float | None = None) -> InTurnError:
    """Convert a problem document, of a response or of one turn of a batch, to an exception."""
    code = problem.get("code")
    error = error_class(status, code)(
        problem.get("detail") or _describe_foreign_response(status),
        status=status,
        code=code,
        request_id=problem.get("request_id"),
        retry_after_seconds=retry_after,
    )
    if isinstance(error, InvalidRequest):
        error.errors = tuple(FieldError(item["field"], item["rule"]) for item in problem.get("errors", ()))
    return error


def _describe_foreign_response(status: int) -> str:
    if status in BY_STATUS:
        return f"The service, or a proxy before it, responded with status {status}."
    return f"This is not a response of InTurn (status {status}). Is the URL right?"


def retry_after_seconds(response: Response) -> float | None:
    """Return the delay of the Retry-After header: a number of seconds, or a date if a proxy sent it."""
    header = response.headers.get("retry-after", "")
    if header.isdecimal():
        return float(header)
    try:
        now = parsedate_to_datetime(response.headers["date"])
        return max(0.0, (parsedate_to_datetime(header) - now).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


REQUIRED_TURN_FIELDS = ("id", "session_id", "status", "input")
# An older service does not send these, and neither do the records that it wrote.
TURN_DEFAULTS: Json = {
    **dict.fromkeys(("user_id", "status_reason", "model", "retry_of", "regenerates", "superseded_by", "forked_from")),
    "sequence": 1,
    "attempt": 1,
    "losses": 0,
    "assistant": "default",
    "lane": "interactive",
    "metadata": {},
}


def turn_fields(body: Json) -> dict[str, Any]:
    """Return the arguments of `TurnData`."""
    output, error, usage = body.get("output"), body.get("error"), body.get("usage")
    return {
        **{name: body[name] for name in REQUIRED_TURN_FIELDS},
        **{name: body.get(name, default) for name, default in TURN_DEFAULTS.items()},
        "output": output and output["content"],
        "data": output and output.get("data"),
        "output_parts": tuple((output or {}).get("parts") or ()),
        "usage": usage and Usage(**{field.name: usage[field.name] for field in fields(Usage) if field.name in usage}),
        "error": error and Failure(code=error["code"], message=error["message"]),
        "queue": to_queue(body.get("queue")),
        "accepted_at": datetime.fromisoformat(body["accepted_at"]),
        **{name: _datetime(body.get(name)) for name in ("started_at", "finished_at", "expires_at")},
        "raw": body,
    }


def to_queue(body: Json | None) -> Queue | None:
    if body is None:
        return None
    return Queue(
        position=body["position"],
        waiting_for=body["waiting_for"],
        turn_id=body["turn_id"],
        retry_at=_datetime(body["retry_at"]),
    )


def to_status(body: Json) -> StatusChanged:
    return StatusChanged(body["status"], to_queue(body["queue"]))


def to_tool_called(body: Json) -> ToolCalled:
    return ToolCalled(
        body["call_id"], body["name"], body["state"], arguments=body.get("arguments"), result=body.get("result")
    )


def to_session(body: Json) -> Session:
    return Session(
        session_id=body["session_id"],
        user_id=body["user_id"],
        status=body["status"],
        running_turn=body["running_turn"],
        queued_turns=tuple(body["queued_turns"]),
        message_count=body["message_count"],
        version=body.get("version", 0),
        last_active_at=_datetime(body["last_active_at"]),
        title=body.get("title"),
        metadata=body.get("metadata", {}),
        archived=body.get("archived", False),
        ttl_seconds=body.get("ttl_seconds"),
        created_at=_datetime(body.get("created_at")),
        forked_from=body.get("forked_from"),
        raw=body,
    )


def to_message(body: Json) -> Message:
    return Message(
        number=body["number"],
        role=body["role"],
        content=body["content"],
        turn_id=body["turn_id"],
        created_at=_datetime(body.get("created_at")),
        metadata=body.get("metadata", {}),
        incomplete=body.get("incomplete", False),
        raw=body,
    )


def to_unanswered(body: Json) -> UnansweredQuestion:
    return UnansweredQuestion(
        turn_id=body["turn_id"],
        after=body["after"],
        content=body["content"],
        truncated=body["truncated"],
        status=body["status"],
        error_code=(body["error"] or {}).get("code"),
        accepted_at=_datetime(body["accepted_at"]),
        raw=body,
    )


def to_assistant(body: Json) -> Assistant:
    return Assistant(
        name=body["name"],
        description=body.get("description", ""),
        model=body["model"],
        lane=body.get("lane", "interactive"),
        variables={name: to_variable(variable) for name, variable in body["variables"].items()},
        max_input_bytes=body.get("max_input_bytes", 0),
        raw=body,
    )


def to_variable(body: Json) -> Variable:
    return Variable(
        required=body["required"],
        default=body["default"],
        description=body.get("description", ""),
        max_length=body.get("max_length"),
    )


def to_assistants(body: Json) -> list[Assistant]:
    return [to_assistant(item) for item in list_items(body)]


def to_readiness(body: Json) -> Readiness:
    return Readiness(
        status=body["status"],
        durability=body["durability"],
        live_workers=body["live_workers"],
        live_turns=body["live_turns"],
        raw=body,
    )


def to_service_status(body: Json) -> ServiceStatus:
    return ServiceStatus(
        paused={switch: datetime.fromisoformat(since) for switch, since in body["paused"].items()},
        live_turns=body["live_turns"],
        waiting_turns=body["waiting_turns"],
        oldest_waiting_seconds=body["oldest_waiting_seconds"],
        live_workers=body["live_workers"],
        failed_turns=body["failed_turns"],
        raw=body,
    )


def list_items(body: Json) -> list[Json]:
    return cast("list[Json]", [dict(item) for item in body["data"]])


def _datetime(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
