"""Values of the domain as what the service answers: one function a model of `responses.py`."""

import time
from functools import lru_cache

from turns.domain import messages, turn
from turns.domain.assistant import Assistant
from turns.domain.error_codes import MESSAGES, Code
from web.schemas import responses


def to_turn(of: turn.Turn) -> responses.Turn:
    usage, waiting, code = of.usage, of.waiting, of.error_code
    return responses.Turn(
        id=of.id,
        session_id=of.session_id,
        user_id=of.user_id,
        sequence=of.sequence,
        status=of.status,
        status_reason=of.status_reason,
        attempt=of.attempt,
        lane=of.lane,
        assistant=of.assistant,
        model=of.model,
        input=of.input,
        output=None if of.output is None else responses.Output(content=of.output),
        usage=usage
        and responses.Usage(
            input_tokens=usage.input_tokens, output_tokens=usage.output_tokens, total_tokens=usage.total_tokens
        ),
        error=code and responses.Failure(code=code, message=MESSAGES[code]),
        queue=waiting and to_queue(waiting),
        retry_of=of.retry_of,
        metadata=of.metadata,
        accepted_at=to_instant(of.accepted_at),
        started_at=optional_instant(of.started_at),
        finished_at=optional_instant(of.finished_at),
        expires_at=optional_instant(of.expires_at),
        links=_links(of),
    )


def to_queue(waiting: turn.Waiting) -> responses.Queue:
    return responses.Queue(
        position=waiting.position,
        waiting_for=waiting.waiting_for,
        turn_id=waiting.turn_id,
        retry_at=optional_instant(waiting.retry_at),
    )


def to_session(of: turn.Session) -> responses.Session:
    return responses.Session(
        session_id=of.session_id,
        user_id=of.user_id,
        status="busy" if of.is_busy else "idle",
        running_turn=of.running,
        queued_turns=of.queued,
        message_count=of.message_count,
        last_active_at=optional_instant(of.active_at),
    )


def to_failed(of: turn.Turn) -> responses.FailedTurn:
    return responses.FailedTurn(
        id=of.id,
        tenant=of.tenant,
        session_id=of.session_id,
        user_id=of.user_id,
        code=of.error_code or Code.CHAIN_ERROR,
        attempts=of.attempt,
        model=of.model,
        accepted_at=to_instant(of.accepted_at),
        failed_at=to_instant(of.finished_at or 0),
    )


def to_message(of: messages.Message) -> responses.Message:
    return responses.Message(number=of.number, role=of.role, content=of.content, turn_id=of.turn_id)


def to_assistant(of: Assistant, *, model: str) -> responses.Assistant:
    variables = {
        name: responses.Variable(
            description=declared.description,
            required=declared.default is None,
            default=declared.default,
            max_length=declared.max_length,
        )
        for name, declared in of.variables.items()
    }
    return responses.Assistant(name=of.name, description=of.description, model=model, lane=of.lane, variables=variables)


def _links(of: turn.Turn) -> responses.Links:
    link, session = f"/v1/turns/{of.id}", f"/v1/sessions/{of.session_id}"
    user = f"?user_id={of.user_id}" if of.user_id else ""
    return responses.Links(
        self=link,
        events=f"{link}/events",
        cancel=f"{link}/cancel",
        session=f"{session}{user}",
        messages=f"{session}/messages{user}",
    )


def to_instant(milliseconds: int) -> str:
    """RFC 3339 in UTC with milliseconds."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_to_second(seconds)}.{rest:03d}Z"


@lru_cache(maxsize=1000)
def _to_second(seconds: int) -> str:
    """Many instants share one: those of a turn, and those of the turns of a second."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def optional_instant(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else to_instant(milliseconds)
