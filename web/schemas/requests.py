"""The bodies of requests, as pydantic models, which the OpenAPI document describes too."""

from functools import cache
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, TypeAdapter, WithJsonSchema, create_model

from turns.config.settings import MAX_INPUT_BYTES, MAX_VALUE
from turns.domain.content.parts import MAX_PARTS
from turns.domain.ids import TURN_ID
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
MAX_VARIABLES = 64
MAX_METADATA = 16
MAX_BATCH = 100
MAX_IMPORTED = 10_000
TurnId = Annotated[str, Field(pattern=f"^{TURN_ID.pattern}$")]


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
