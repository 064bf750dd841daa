"""The HTTP contract as a table: what each operation takes, answers and refuses. `openapi.py` describes it from here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import BaseModel

from turns.errors import (
    AssistantNotFound,
    Forbidden,
    IdempotencyKeyReused,
    IntakePaused,
    InvalidRequest,
    Overloaded,
    RateLimited,
    SessionBacklogFull,
    SessionBusy,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnavailable,
    StreamsFull,
    TenantBacklogFull,
    TokensSpent,
    TurnExpired,
    TurnNotFailed,
    TurnNotFound,
    TurnsError,
    Unauthenticated,
)
from web import bodies, schema
from web.gate import GUARDED as PATHS_GUARDED

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`model`: None for an empty body. `headers`: names of those that this answer can carry, beyond what all do."""

    description: str
    model: type[BaseModel] | None = None
    kind: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`problems` are HTTP's own refusals, by status; `refusals` are those of the domain."""

    id: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    query: type[BaseModel] = bodies.NoQuery
    body: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    refusals: tuple[type[TurnsError], ...] = ()
    problems: tuple[int, ...] = field(default=(406,))

    @property
    def is_guarded(self) -> bool:
        """Whether a key is asked for, where there are keys."""
        return self.path.startswith(PATHS_GUARDED)


GUARDED = (Unauthenticated, Forbidden)
WITH_BODY = (406, 408, 413, 415)
MISSING = (TurnNotFound, TurnExpired)
QUOTA = (TenantBacklogFull, RateLimited, TokensSpent)
AGAIN = (IdempotencyKeyReused, SessionBacklogFull, *QUOTA, Overloaded, IntakePaused)
SUBMITTED = (InvalidRequest, AssistantNotFound, SessionBusy, *AGAIN)
TURN_HEADERS = ("Retry-After", "Preference-Applied")
ACCEPTED_HEADERS = (*TURN_HEADERS, "Location", "Idempotency-Replayed")
ACCEPTED = MappingProxyType(
    {
        202: Answer(description="Stored, and on its way", model=schema.Turn, headers=ACCEPTED_HEADERS),
        200: Answer(
            description="The same, and ended within the time of `Prefer: wait`",
            model=schema.Turn,
            headers=ACCEPTED_HEADERS,
        ),
    }
)
READ = MappingProxyType(
    {
        200: Answer(
            description="The turn now, whatever its status", model=schema.Turn, headers=(*TURN_HEADERS, "ETag")
        ),
        304: Answer(description="The caller has this very answer", headers=("ETag",)),
    }
)


def _json(description: str, model: type[BaseModel]) -> Mapping[int, Answer]:
    return MappingProxyType({200: Answer(description=description, model=model)})


OPERATIONS = (
    Operation(
        id="submit", method="post", path="/v1/turns", summary="Submit a turn",
        body=bodies.SubmitBody, headers=("Idempotency-Key", "Prefer", "traceparent"),
        answers=ACCEPTED, refusals=(*SUBMITTED, StoreUnavailable), problems=WITH_BODY,
    ),
    Operation(
        id="submit_batch", method="post", path="/v1/turns/batch", summary="Submit up to 100 turns, each on its own",
        body=bodies.BatchBody, headers=("Idempotency-Key", "traceparent"),
        answers=_json("What became of each, in order", schema.Batch),
        refusals=(InvalidRequest, StoreUnavailable), problems=WITH_BODY,
    ),
    Operation(
        id="list_turns", method="get", path="/v1/turns", summary="Turns, newest first", query=bodies.TurnsQuery,
        answers=_json("A page; it can be short, or empty, and not the last", schema.Page[schema.Turn, str]),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="read_turn", method="get", path="/v1/turns/{turn_id}", summary="One turn, now or when it has ended",
        query=bodies.WaitQuery, headers=("Prefer", "If-None-Match"), answers=READ,
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="read_task", method="get", path="/v1/tasks/{turn_id}", summary="The same, by the name that Celery gives it",
        query=bodies.WaitQuery, headers=("Prefer", "If-None-Match"), answers=READ,
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="watch_turn", method="get", path="/v1/turns/{turn_id}/events", summary="Watch an answer being written",
        query=bodies.EventsQuery, headers=("Last-Event-ID",),
        answers=MappingProxyType(
            {
                200: Answer(description="Server-sent events, until `done`", kind="text/event-stream"),
                204: Answer(description="The turn has ended, and all its events were seen"),
            }
        ),
        refusals=(InvalidRequest, *MISSING, StreamsFull, StoreUnavailable),
    ),
    Operation(
        id="cancel", method="post", path="/v1/turns/{turn_id}/cancel",
        summary="End a live turn without effect; one that has ended is answered as it is",
        answers=MappingProxyType({200: Answer(description="The turn", model=schema.Turn, headers=("Retry-After",))}),
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="retry", method="post", path="/v1/turns/{turn_id}/retry",
        summary="A failed turn again, as a new last turn of its session", headers=("Idempotency-Key", "Prefer"),
        answers=ACCEPTED,
        refusals=(*MISSING, TurnNotFailed, InvalidRequest, *AGAIN, StoreUnavailable),
    ),
    Operation(
        id="list_sessions", method="get", path="/v1/sessions", summary="Sessions, the last active first",
        query=bodies.SessionsQuery, answers=_json("A page", schema.Page[schema.Session, str]),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="read_session", method="get", path="/v1/sessions/{session_id}", summary="What a session is doing",
        query=bodies.SessionQuery, answers=_json("The session", schema.Session),
        refusals=(InvalidRequest, SessionNotFound, StoreUnavailable),
    ),
    Operation(
        id="erase", method="delete", path="/v1/sessions/{session_id}", query=bodies.SessionQuery,
        summary="Cancel what is live in a session, and erase its history, its turns and their results",
        answers=MappingProxyType({204: Answer(description="There is no such session, now")}),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="messages", method="get", path="/v1/sessions/{session_id}/messages", summary="The committed history",
        query=bodies.MessagesQuery, answers=_json("A page", schema.Page[schema.Message, int]),
        refusals=(InvalidRequest, SessionNotFound, StoreUnavailable),
    ),
    Operation(
        id="import_messages", method="put", path="/v1/sessions/{session_id}/messages",
        summary="Begin an empty, idle session with messages that were said elsewhere: all of them, or none",
        query=bodies.SessionQuery, body=bodies.ImportBody,
        answers=MappingProxyType(
            {
                201: Answer(description="The session, which has them", model=schema.Session),
                200: Answer(description="The session; these very messages were imported before", model=schema.Session),
            }
        ),
        refusals=(InvalidRequest, SessionNotEmpty, SessionBusy, *QUOTA, IntakePaused, StoreUnavailable),
        problems=WITH_BODY,
    ),
    Operation(
        id="assistants", method="get", path="/v1/assistants", summary="The configured assistants",
        answers=_json("All of them", schema.Page[schema.Assistant, str]), refusals=(InvalidRequest,),
    ),
    Operation(
        id="status", method="get", path="/operator/status", summary="How the service does",
        answers=_json("A few numbers", schema.ServiceStatus), refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="pause", method="post", path="/operator/pause/{switch}", summary="Accept nothing, or let no turn begin",
        answers=_json("How the service does, now", schema.ServiceStatus), refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="resume", method="post", path="/operator/resume/{switch}", summary="End a pause",
        answers=_json("How the service does, now", schema.ServiceStatus), refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="list_failed", method="get", path="/operator/failed", query=bodies.FailedQuery,
        summary="Failed turns of all tenants that nobody has dealt with, the last first",
        answers=_json("A page", schema.Page[schema.FailedTurn, int]), refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="retry_failed", method="post", path="/operator/failed/{turn_id}/retry",
        summary="A failed turn again, as a new last turn of its session; it is listed no more",
        answers=MappingProxyType({202: Answer(description="The new one", model=schema.Turn, headers=("Retry-After",))}),
        refusals=(InvalidRequest, TurnNotFound, *AGAIN, StoreUnavailable),
    ),
    Operation(
        id="discard_failed", method="post", path="/operator/failed/{turn_id}/discard",
        summary="A failed turn has been dealt with; its record stays until it expires",
        answers=MappingProxyType({204: Answer(description="It is listed no more")}),
        refusals=(InvalidRequest, TurnNotFound, StoreUnavailable),
    ),
    Operation(
        id="livez", method="get", path="/livez", summary="Is the process up?", answers=_json("It is", schema.Live),
    ),
    Operation(
        id="readyz", method="get", path="/readyz", summary="Is the store reachable and safe?",
        answers=MappingProxyType(
            {
                200: Answer(description="It is", model=schema.Ready),
                503: Answer(description="It may evict turns, or is away (then a problem)", model=schema.Ready),
            }
        ),
        refusals=(StoreUnavailable,),
    ),
    Operation(
        id="metrics", method="get", path="/metrics", summary="What was counted and timed, for Prometheus",
        answers=MappingProxyType({200: Answer(description="The text format", kind="text/plain")}),
        refusals=(StoreUnavailable,), problems=(),
    ),
)  # fmt: skip
