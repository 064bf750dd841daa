"""The bodies of requests that change what a session has committed."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from turns.config.settings import MAX_INPUT_BYTES
from web.schemas.field_types import Id, Metadata, MetadataName, Name, Variable, VariableName, text_rules
from web.schemas.requests import MAX_METADATA, MAX_START_WITHIN_SECONDS, MAX_VARIABLES, TurnId


class RegenerateBody(BaseModel):
    """The body of `POST /v1/turns/{turn_id}/regenerate`. Missing fields are those of the earlier turn."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"input": "What does sine mean?"}]},
    )

    input: Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_INPUT_BYTES)] | None = Field(
        None, description="another question instead of the earlier one"
    )
    assistant: Name | None = None
    variables: dict[VariableName, Variable] | None = Field(
        None, max_length=MAX_VARIABLES, description="default: those of the earlier turn, if the assistant is the same"
    )
    metadata: dict[MetadataName, Metadata] | None = Field(None, max_length=MAX_METADATA)
    # Not `interrupt`: it would add the partial answer of the running turn after the messages to replace.
    on_busy: Literal["enqueue", "reject", "rollback"] = "enqueue"
    lane: Literal["interactive", "batch"] | None = None
    start_within_seconds: Annotated[float, Field(gt=0, le=MAX_START_WITHIN_SECONDS)] | None = None
    fork: Literal["if_earlier", "always", "never"] = Field(
        "if_earlier",
        description="whether the turn begins a new session with the messages before the earlier turn: if others were "
        "committed after it, in any case, or never, so that it is refused then",
    )
    session_id: Id | None = Field(None, description="of the fork; default: a new id")


class CancelBody(BaseModel):
    """The body of `POST /v1/turns/{turn_id}/cancel`."""

    model_config = ConfigDict(extra="forbid", strict=True, json_schema_extra={"examples": [{"keep": True}]})

    keep: bool = Field(
        False, description="whether the question and the partial answer of a running turn stay in the history"
    )


class ForkBody(BaseModel):
    """The body of `POST /v1/sessions/{session_id}/fork`. Without a turn the fork has all committed messages."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"session_id": "foobar-2"}]},
    )

    session_id: Id | None = Field(None, description="of the fork; default: a new id")
    through_turn: TurnId | None = Field(None, description="the last turn whose messages the fork has")
    before_turn: TurnId | None = Field(None, description="the first turn whose messages it does not have")


def regenerate_body(max_input_bytes: int) -> type[RegenerateBody]:
    """Return the body for a service with this limit of the input."""
    limited = Annotated[str, *text_rules(min_bytes=1, max_bytes=max_input_bytes)]
    field = RegenerateBody.model_fields["input"]
    return create_model(
        RegenerateBody.__name__,
        __base__=RegenerateBody,
        __doc__=RegenerateBody.__doc__,
        input=(limited | None, Field(None, description=field.description)),
    )
