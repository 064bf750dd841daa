"""From the service's JSON to values. What is missing or wrong raises `ServiceBroken`; what is new is in `raw`."""

import json
from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar, cast

from inturn.errors import InTurnError, ServiceBroken
from inturn.events import StatusChanged
from inturn.protocol.error_codes import error_class
from inturn.protocol.requests import Answer
from inturn.values import Assistant, Failure, Json, Message, Queue, Readiness, ServiceStatus, Session, Usage, Variable

Value = TypeVar("Value")


def read(answer: Answer, make: Callable[[Json], Value]) -> Value:
    """The body as the value that `make` makes of it. Raises `ServiceBroken`."""
    try:
        return make(to_json(answer))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ServiceBroken(
            f"The answer is not what InTurn answers ({type(error).__name__}: {error}). Is the URL right?",
            status=answer.status,
            request_id=answer.request_id,
        ) from error


def to_json(answer: Answer) -> Json:
    """Raises `ValueError` for what is not a JSON object."""
    body = json.loads(answer.body)
    if not isinstance(body, dict):
        raise ValueError("not a JSON object")  # the caller catches what json raises
    return body


def to_error(answer: Answer) -> InTurnError:
    """Of an answer that is no success."""
    try:
        problem = to_json(answer)
    except ValueError:
        problem = {}  # a proxy's page
    problem.setdefault("request_id", answer.request_id)
    return problem_error(problem, status=answer.status, retry_after=retry_after_seconds(answer))


def problem_error(problem: Json, *, status: int, retry_after: float | None = None) -> InTurnError:
    code = problem.get("code")
    return error_class(status, code)(
        problem.get("detail") or f"The service answered with status {status}.",
        status=status,
        code=code,
        request_id=problem.get("request_id"),
        retry_after_seconds=retry_after,
    )


def retry_after_seconds(answer: Answer) -> float | None:
    """Of the header, which is a number of seconds, or a date if a proxy wrote it."""
    said = answer.headers.get("retry-after", "")
    if said.isdecimal():
        return float(said)
    try:
        date = answer.headers["date"]
        return max(0.0, (parsedate_to_datetime(said) - parsedate_to_datetime(date)).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None


# What a turn cannot be without. An older service may lack the rest, and so may what it answers.
_ALWAYS = ("id", "session_id", "status", "input")
_DEFAULTS: Json = {
    **dict.fromkeys(("user_id", "status_reason", "model", "retry_of")),
    "sequence": 1,
    "attempt": 1,
    "assistant": "default",
    "lane": "interactive",
    "metadata": {},
}


def turn_fields(body: Json) -> dict[str, Any]:
    """The arguments of `TurnData`."""
    output, error, usage = body.get("output"), body.get("error"), body.get("usage")
    return {
        **{name: body[name] for name in _ALWAYS},
        **{name: body.get(name, default) for name, default in _DEFAULTS.items()},
        "output": output and output["content"],
        "usage": usage and Usage(**{name: usage[name] for name in Usage.__slots__}),
        "error": error and Failure(code=error["code"], message=error["message"]),
        "queue": to_queue(body.get("queue")),
        "accepted_at": datetime.fromisoformat(body["accepted_at"]),
        **{name: _instant(body.get(name)) for name in ("started_at", "finished_at", "expires_at")},
        "raw": body,
    }


def to_queue(body: Json | None) -> Queue | None:
    if body is None:
        return None
    return Queue(
        position=body["position"],
        waiting_for=body["waiting_for"],
        turn_id=body["turn_id"],
        retry_at=_instant(body["retry_at"]),
    )


def to_status(body: Json) -> StatusChanged:
    return StatusChanged(body["status"], to_queue(body["queue"]))


def to_session(body: Json) -> Session:
    return Session(
        session_id=body["session_id"],
        user_id=body["user_id"],
        status=body["status"],
        running_turn=body["running_turn"],
        queued_turns=tuple(body["queued_turns"]),
        message_count=body["message_count"],
        last_active_at=_instant(body["last_active_at"]),
        raw=body,
    )


def to_message(body: Json) -> Message:
    return Message(number=body["number"], role=body["role"], content=body["content"], turn_id=body["turn_id"], raw=body)


def to_assistant(body: Json) -> Assistant:
    return Assistant(
        name=body["name"],
        description=body.get("description", ""),
        model=body["model"],
        lane=body.get("lane", "interactive"),
        variables={name: to_variable(variable) for name, variable in body["variables"].items()},
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
    return [to_assistant(item) for item in to_list(body)]


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


def _instant(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def to_list(body: Json) -> list[Json]:
    return cast("list[Json]", [dict(item) for item in body["data"]])
