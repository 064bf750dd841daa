"""The operations of operators, as rows of the contract's table."""

from types import MappingProxyType

from turns.domain.errors import (
    AssistantNotFound,
    CountChanged,
    InvalidRequest,
    SessionNotFound,
    StoreUnavailable,
    TurnNotFound,
    WorkerNotFound,
)
from web.openapi.operation import AGAIN, Answer, Operation, answers_with
from web.schemas import operator_responses, requests, responses

OPERATOR_OPERATIONS = (
    Operation(
        id="status", method="get", path="/operator/status", summary="How the service does",
        answers=answers_with("A few numbers", responses.ServiceStatus),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="pause", method="post", path="/operator/pause/{switch}", summary="Accept nothing, or let no turn begin",
        answers=answers_with("How the service does, now", responses.ServiceStatus),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="resume", method="post", path="/operator/resume/{switch}", summary="End a pause",
        answers=answers_with("How the service does, now", responses.ServiceStatus),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="list_failed", method="get", path="/operator/failed", query=requests.FailedQuery,
        summary="Failed turns of all tenants that nobody has dealt with, the last first",
        answers=answers_with("A page", responses.Page[responses.FailedTurn, int]),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="retry_failed", method="post", path="/operator/failed/{turn_id}/retry",
        summary="A failed turn again, as a new last turn of its session; it is listed no more",
        answers=MappingProxyType(
            {202: Answer(description="The new one", model=responses.Turn, headers=("Retry-After",))}
        ),
        refusals=(InvalidRequest, TurnNotFound, AssistantNotFound, *AGAIN, StoreUnavailable),
    ),
    Operation(
        id="discard_failed", method="post", path="/operator/failed/{turn_id}/discard",
        summary="A failed turn has been dealt with; its record stays until it expires",
        answers=MappingProxyType({204: Answer(description="It is listed no more")}),
        refusals=(InvalidRequest, TurnNotFound, StoreUnavailable),
    ),
    Operation(
        id="retry_all_failed", method="post", path="/operator/failed/retry", query=requests.CodeQuery,
        summary="All failed turns of a code again, if they are as many as the caller says",
        answers=answers_with("How many were, and the first refusal", operator_responses.BulkResult),
        refusals=(InvalidRequest, CountChanged, StoreUnavailable),
    ),
    Operation(
        id="discard_all_failed", method="post", path="/operator/failed/discard", query=requests.CodeQuery,
        summary="All failed turns of a code have been dealt with, if they are as many as the caller says",
        answers=answers_with("How many were", operator_responses.BulkResult),
        refusals=(InvalidRequest, CountChanged, StoreUnavailable),
    ),
    Operation(
        id="stats", method="get", path="/operator/stats.json", query=requests.StatsQuery,
        summary="Every number of the page `/operator`: now, lately, and over time",
        answers=answers_with("The numbers", operator_responses.Stats), refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="live_turns", method="get", path="/operator/turns", query=requests.LiveQuery,
        summary="The first live turn of each session, of all tenants, the oldest first; not what was said",
        answers=answers_with("At most so many of them, and how many there are", operator_responses.LiveTurns),
        refusals=(InvalidRequest, StoreUnavailable),
    ),
    Operation(
        id="timeline", method="get", path="/operator/turns/{turn_id}", summary="When what happened to a turn",
        answers=answers_with("Its times and its runs; not what was said", operator_responses.Timeline),
        refusals=(InvalidRequest, TurnNotFound, StoreUnavailable),
    ),
    Operation(
        id="turn_text", method="get", path="/operator/turns/{turn_id}/text",
        summary="What was said in a turn; the log tells who asked",
        answers=answers_with("The question, and the answer if there is one", operator_responses.TurnText),
        refusals=(InvalidRequest, TurnNotFound, StoreUnavailable),
    ),
    Operation(
        id="session_queue", method="get", path="/operator/session", query=requests.SessionQueueQuery,
        summary="The live turns of a session, and why the first of them waits",
        answers=answers_with("The weightiest reason first", operator_responses.SessionQueue),
        refusals=(InvalidRequest, SessionNotFound, StoreUnavailable),
    ),
    Operation(
        id="drain", method="post", path="/operator/workers/{worker}/drain",
        summary="A worker finishes what it runs, and ends",
        answers=MappingProxyType({204: Answer(description="It will hear of that within a second or so")}),
        refusals=(InvalidRequest, WorkerNotFound, StoreUnavailable),
    ),
)  # fmt: skip
