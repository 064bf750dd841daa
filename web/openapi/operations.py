"""The HTTP contract as a table: what each operation takes, answers and refuses. `openapi.py` describes it from here."""

from types import MappingProxyType

from turns.domain.errors import (
    AssistantNotFound,
    Forbidden,
    IntakePaused,
    InvalidRequest,
    SessionBusy,
    SessionNotEmpty,
    SessionNotFound,
    StoreUnavailable,
    StreamsFull,
    TurnExpired,
    TurnNotFailed,
    TurnNotFound,
    Unauthenticated,
)
from web.openapi.operation import AGAIN, QUOTA, Answer, Operation, answers_with
from web.openapi.operator_operations import OPERATOR_OPERATIONS
from web.schemas import requests, responses

GUARDED = (Unauthenticated, Forbidden)
WITH_BODY = (406, 408, 413, 415)
MISSING = (TurnNotFound, TurnExpired)
SUBMITTED = (InvalidRequest, AssistantNotFound, SessionBusy, *AGAIN)
TURN_HEADERS = ("Retry-After", "Preference-Applied")
ACCEPTED_HEADERS = (*TURN_HEADERS, "Location", "Idempotency-Replayed")
ACCEPTED = MappingProxyType(
    {
        202: Answer(description="Stored, and on its way", model=responses.Turn, headers=ACCEPTED_HEADERS),
        200: Answer(
            description="The same, and ended within the time of `Prefer: wait`",
            model=responses.Turn,
            headers=ACCEPTED_HEADERS,
        ),
    }
)
READ = MappingProxyType(
    {
        200: Answer(
            description="The turn now, whatever its status", model=responses.Turn, headers=(*TURN_HEADERS, "ETag")
        ),
        304: Answer(description="The caller has this very answer", headers=("ETag",)),
    }
)


OPERATIONS = (
    Operation(
        id="submit", method="post", path="/v1/turns", summary="Submit a turn",
        body=requests.SubmitBody, headers=("Idempotency-Key", "Prefer", "traceparent"),
        answers=ACCEPTED, refusals=(*SUBMITTED, StoreUnavailable), problems=WITH_BODY,
    ),
    Operation(
        id="submit_batch", method="post", path="/v1/turns/batch", summary="Submit up to 100 turns, each on its own",
        body=requests.BatchBody, headers=("Idempotency-Key", "traceparent"),
        answers=answers_with("What became of each, in order", responses.Batch),
        refusals=(InvalidRequest, StoreUnavailable), problems=WITH_BODY,
    ),
    Operation(
        id="list_turns", method="get", path="/v1/turns", summary="Turns, newest first", query=requests.TurnsQuery,
        answers=answers_with(
            "A page; it can be short, or empty, and not the last", responses.Page[responses.Turn, str]
        ),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="read_turn", method="get", path="/v1/turns/{turn_id}", summary="One turn, now or when it has ended",
        query=requests.WaitQuery, headers=("Prefer", "If-None-Match"), answers=READ,
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="read_task", method="get", path="/v1/tasks/{turn_id}", summary="The same, by the name that Celery gives it",
        query=requests.WaitQuery, headers=("Prefer", "If-None-Match"), answers=READ,
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="watch_turn", method="get", path="/v1/turns/{turn_id}/events", summary="Watch an answer being written",
        query=requests.EventsQuery, headers=("Last-Event-ID",),
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
        answers=MappingProxyType({200: Answer(description="The turn", model=responses.Turn, headers=("Retry-After",))}),
        refusals=(InvalidRequest, *MISSING, StoreUnavailable),
    ),
    Operation(
        id="retry", method="post", path="/v1/turns/{turn_id}/retry",
        summary="A failed turn again, as a new last turn of its session", headers=("Idempotency-Key", "Prefer"),
        answers=ACCEPTED,
        refusals=(*MISSING, AssistantNotFound, TurnNotFailed, InvalidRequest, *AGAIN, StoreUnavailable),
    ),
    Operation(
        id="list_sessions", method="get", path="/v1/sessions", summary="Sessions, the last active first",
        query=requests.SessionsQuery, answers=answers_with("A page", responses.Page[responses.Session, str]),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="read_session", method="get", path="/v1/sessions/{session_id}", summary="What a session is doing",
        query=requests.SessionQuery, answers=answers_with("The session", responses.Session),
        refusals=(InvalidRequest, SessionNotFound, StoreUnavailable),
    ),
    Operation(
        id="erase", method="delete", path="/v1/sessions/{session_id}", query=requests.SessionQuery,
        summary="Cancel what is live in a session, and erase its history, its turns and their results",
        answers=MappingProxyType({204: Answer(description="There is no such session, now")}),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="messages", method="get", path="/v1/sessions/{session_id}/messages", summary="The committed history",
        query=requests.MessagesQuery, answers=answers_with("A page", responses.Page[responses.Message, int]),
        refusals=(InvalidRequest, SessionNotFound, StoreUnavailable),
    ),
    Operation(
        id="import_messages", method="put", path="/v1/sessions/{session_id}/messages",
        summary="Begin an empty, idle session with messages that were said elsewhere: all of them, or none",
        query=requests.SessionQuery, body=requests.ImportBody,
        answers=MappingProxyType(
            {
                201: Answer(description="The session, which has them", model=responses.Session),
                200: Answer(
                    description="The session; these very messages were imported before", model=responses.Session
                ),
            }
        ),
        refusals=(InvalidRequest, SessionNotEmpty, SessionBusy, *QUOTA, IntakePaused, StoreUnavailable),
        problems=WITH_BODY,
    ),
    Operation(
        id="assistants", method="get", path="/v1/assistants", summary="The configured assistants",
        answers=answers_with("All of them", responses.Page[responses.Assistant, str]), refusals=(InvalidRequest,),
    ),
    *OPERATOR_OPERATIONS,
    Operation(
        id="livez", method="get", path="/livez", summary="Is the process up?",
        answers=answers_with("It is", responses.Live),
    ),
    Operation(
        id="readyz", method="get", path="/readyz", summary="Is the store reachable and safe?",
        answers=MappingProxyType(
            {
                200: Answer(description="It is", model=responses.Ready),
                503: Answer(description="It may evict turns, or is away (then a problem)", model=responses.Ready),
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
