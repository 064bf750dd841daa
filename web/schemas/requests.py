"""The bodies and queries of requests, as pydantic models, which the OpenAPI document describes too."""

from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    FailFast,
    Field,
    TypeAdapter,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from turns.access.access_token import ACCESS_TOKEN
from turns.config.settings import MAX_INPUT_BYTES, MAX_VALUE
from turns.domain.content.parts import MAX_PARTS
from turns.domain.events import EVENT_ID
from turns.domain.ids import DEFAULT_TENANT, NAME, TURN_ID
from turns.domain.state import Status
from turns.session_stream.cursor import CURSOR
from web.schemas.field_types import (
    Content,
    GivenInstant,
    Id,
    Metadata,
    MetadataName,
    Name,
    Title,
    Variable,
    VariableName,
    text_rules,
)
from web.schemas.parts import PARTS_SCHEMA, PartBody
from web.schemas.response_format import ResponseFormat

MAX_START_WITHIN_SECONDS = 7 * 24 * 3600
MAX_WAIT_SECONDS = 30
MAX_VARIABLES = 64
MAX_METADATA = 16
MAX_BATCH = 100
MAX_IMPORTED = 10_000
MAX_LIMIT = 100
TurnId = Annotated[str, Field(pattern=f"^{TURN_ID.pattern}$")]
TURN_CURSOR = rf"^[0-9]{{1,16}}\.{TURN_ID.pattern}$"
FEED_CURSOR = r"^(now|[0-9]{1,15})$"
SESSION_CURSOR = r"^[0-9]{1,16}\.[A-Za-z0-9._~%/-]{1,3300}$"


class SubmitBody(BaseModel):
    """The body of `POST /v1/turns`."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"session_id": "foobar", "input": "What does cosine mean?"}]},
    )

    max_input_bytes: ClassVar[int] = MAX_INPUT_BYTES

    session_id: Id
    input: Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_INPUT_BYTES)]
    user_id: Id | None = None
    assistant: Name = "default"
    variables: dict[VariableName, Variable] = Field(default_factory=dict, max_length=MAX_VARIABLES)
    metadata: dict[MetadataName, Metadata] = Field(default_factory=dict, max_length=MAX_METADATA)
    on_busy: Literal["enqueue", "reject", "interrupt", "rollback"] = "enqueue"
    lane: Literal["interactive", "batch"] | None = Field(None, description="default: the assistant's")
    start_within_seconds: Annotated[float, Field(gt=0, le=MAX_START_WITHIN_SECONDS)] | None = None
    response_format: ResponseFormat | None = Field(None, description="default: the assistant's")


def submit_body(max_input_bytes: int) -> type[SubmitBody]:
    """Return the body of `POST /v1/turns` for a service with this limit of the input."""
    limited = Annotated[str, *text_rules(min_bytes=1, max_bytes=max_input_bytes)]
    schema = {"anyOf": [TypeAdapter(limited).json_schema(), PARTS_SCHEMA]}
    described = Annotated[limited, WithJsonSchema(schema)]
    body = create_model(SubmitBody.__name__, __base__=SubmitBody, __doc__=SubmitBody.__doc__, input=(described, ...))
    body.max_input_bytes = max_input_bytes
    return body


@cache
def parts_body(body: type[SubmitBody]) -> type[SubmitBody]:
    """Return the same body with a list of parts as its input, so that a plain text costs no choice between the two."""
    parts = (list[PartBody], Field(min_length=1, max_length=MAX_PARTS))
    return create_model(SubmitBody.__name__, __base__=body, __doc__=SubmitBody.__doc__, input=parts)


class BatchBody(BaseModel):
    """The body of `POST /v1/turns/batch`. Each turn is validated and accepted or refused independently."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"turns": [{"session_id": "foobar", "input": "What does cosine mean?"}]}]},
    )

    turns: list[dict[str, Any]] = Field(
        min_length=1,
        max_length=MAX_BATCH,
        description="each as the body of `POST /v1/turns`, `SubmitBody`",
    )


class MessageBody(BaseModel):
    """An existing message. `turn_id` is the turn that created it, which this service need not know."""

    model_config = ConfigDict(extra="forbid", strict=True)

    role: Literal["user", "assistant"]
    content: Content
    turn_id: TurnId | None = None
    created_at: GivenInstant | None = None
    metadata: dict[MetadataName, Metadata] = Field(default_factory=dict, max_length=MAX_METADATA)


class ImportBody(BaseModel):
    """The body of `PUT /v1/sessions/{session_id}/messages`: oldest first, starting with a user's message."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "messages": [
                        {"role": "user", "content": "What does cosine mean?"},
                        {"role": "assistant", "content": "The ratio of the adjacent side to the hypotenuse."},
                    ]
                }
            ]
        },
    )

    # The first wrong message ends the validation; otherwise pydantic would record errors for ten thousand messages.
    messages: Annotated[list[MessageBody], FailFast()] = Field(min_length=1, max_length=MAX_IMPORTED)


class PatchSessionBody(BaseModel):
    """The body of `PATCH /v1/sessions/{session_id}`: the fields to change. A missing field stays as it is."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"title": "Trigonometry", "metadata": {"course": "algebra"}}]},
    )

    title: Title | None = Field(None, description="null: the beginning of the first message")
    metadata: dict[MetadataName, Metadata | None] = Field(
        default_factory=dict, max_length=MAX_METADATA, description="entries to set; null removes an entry"
    )
    archived: bool = False
    ttl_seconds: Annotated[float, Field(gt=0, le=MAX_VALUE)] | None = Field(
        None, description="time for which the idle session is kept; null: for ever"
    )


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
