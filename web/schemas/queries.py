"""The query parameters of requests, as pydantic models, which the OpenAPI document describes too."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from turns.access.access_token import ACCESS_TOKEN
from turns.domain.events import EVENT_ID
from turns.domain.ids import DEFAULT_TENANT, NAME, TURN_ID
from turns.domain.state import Status
from turns.session_stream.cursor import CURSOR
from web.schemas.field_types import GivenInstant, Id
from web.schemas.requests import MAX_METADATA

MAX_WAIT_SECONDS = 30
MAX_LIMIT = 100
TURN_CURSOR = rf"^[0-9]{{1,16}}\.{TURN_ID.pattern}$"
FEED_CURSOR = r"^(now|[0-9]{1,15})$"
SESSION_CURSOR = r"^[0-9]{1,16}\.[A-Za-z0-9._~%/-]{1,3300}$"


def _entries(values: list[str]) -> list[str]:
    if not all(value.find(":") > 0 for value in values):
        raise PydanticCustomError("rule", "must be name:value")
    return values


class Query(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoQuery(Query):
    """No parameters."""


class WaitQuery(Query):
    wait: Annotated[
        float,
        Field(ge=0, le=MAX_WAIT_SECONDS, description="seconds to hold the response, unless the turn ends before"),
    ] = 0


def _access_token(value: str) -> str:
    if not ACCESS_TOKEN.fullmatch(value):
        raise PydanticCustomError("rule", "must be an access token from POST /v1/tokens: URLs are written to logs")
    return value


AccessTokenText = Annotated[
    str,
    AfterValidator(_access_token),
    Field(
        description="in place of the header `Authorization`, which a browser's `EventSource` cannot send",
        json_schema_extra={"pattern": f"^{ACCESS_TOKEN.pattern}$"},
    ),
]


class EventsQuery(Query):
    after: (
        Annotated[
            str,
            Field(
                pattern=f"^{EVENT_ID.pattern}$",
                description="the last event received; Last-Event-ID takes precedence",
            ),
        ]
        | None
    ) = None
    token: AccessTokenText | None = None


class SessionQuery(Query):
    user_id: Id | None = None


class SessionEventsQuery(SessionQuery):
    after: (
        Annotated[
            str,
            Field(
                pattern=f"^{CURSOR.pattern}$",
                description="the id of the last event received; Last-Event-ID takes precedence",
            ),
        ]
        | None
    ) = None
    token: AccessTokenText | None = None
    until: Annotated[
        Literal["idle"] | None, Field(description="`idle`: end the stream when the session has no live turn left")
    ] = None


Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]


class FeedQuery(WaitQuery):
    after: (
        Annotated[
            str,
            Field(
                pattern=FEED_CURSOR,
                description="the cursor of the last page, or `now`; without it, all of the last day. Last-Event-ID "
                "takes precedence",
            ),
        ]
        | None
    ) = None
    limit: Limit = 100


class TurnsQuery(Query):
    status: Status | None = None
    session_id: Id | None = None
    user_id: Id | None = Field(
        None, description="with `session_id`, the user of that session; a session without a user is another one"
    )
    after: Annotated[str, Field(pattern=TURN_CURSOR)] | None = None
    limit: Limit = 20


class HoldQuery(Query):
    name: Annotated[str, Field(min_length=1, max_length=512, description="`name` of the hold in the status")]


class StatsQuery(Query):
    minutes: Literal["15", "360", "1440"] = "15"


Tenant = Annotated[str, Field(pattern=f"^{NAME.pattern}$")]


class SessionQueueQuery(Query):
    session_id: Id
    user_id: Id | None = None
    tenant: Tenant = DEFAULT_TENANT


class CancelQuery(Query):
    reason: Annotated[str, Field(max_length=200, description="recorded in the log with the action")] = ""


class CancelSessionQuery(SessionQueueQuery, CancelQuery):
    """A session, and why its turns are cancelled."""


class SessionFilterQuery(Query):
    """Conditions on sessions, all of which must hold."""

    archived: Literal["true", "false"] | None = None
    metadata: Annotated[list[str], AfterValidator(_entries)] = Field(
        [], max_length=MAX_METADATA, description="`name:value` of an entry; repeat the parameter for several"
    )
    q: Annotated[str, Field(max_length=200, description="beginnings of words of the title")] = ""
    active_after: GivenInstant | None = None
    active_before: GivenInstant | None = None
    count: Literal["true", "false"] = Field("false", description="whether to count the sessions that match")
    after: Annotated[str, Field(pattern=SESSION_CURSOR)] | None = None
    limit: Limit = 20


class SessionsQuery(SessionFilterQuery):
    user_id: Id | None = None


class MessagesQuery(SessionQuery):
    after: Annotated[int, Field(ge=0, lt=2**53)] | None = None
    limit: Limit = 20
    order: Literal["asc", "desc"] = "asc"
