"""The responses of the service, as pydantic models that the OpenAPI document describes.

A model is filled from the attributes of a value of the domain; `validation_alias` names the attribute where its name
differs. Names are those of the domain, so this module is used as `responses.Turn`.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, computed_field, field_validator

from turns.domain.assistant import Lane
from turns.domain.content.parts import PartType
from turns.domain.state import Status
from turns.domain.turn import WaitingFor
from web.schemas.field_types import FileId
from web.schemas.links import link
from web.schemas.output_parts import OutputParts
from web.schemas.response_model import ErrorCode, GatheredPage, Id, Instant, Name, ResponseModel, TurnId


class Part(ResponseModel):
    """One part of an input or a message. The bytes of a file are at `GET /v1/files/{file_id}`."""

    type: PartType
    text: str | None
    file_id: FileId | None
    url: str | None
    name: str | None = Field(description="of the uploaded file")
    media_type: str | None

    @field_validator("text", "name", "media_type", mode="before")
    @classmethod
    def _or_null(cls, value: str | None) -> str | None:
        return value or None


Parts = Annotated[tuple[Part, ...] | None, BeforeValidator(lambda parts: parts or None)]


class Output(ResponseModel):
    role: Literal["assistant"] = "assistant"
    content: str
    data: Any = Field(description="the object that a custom chain returned; null if it returned only text")
    parts: OutputParts = Field(
        None,
        exclude_if=lambda parts: parts is None,
        description="text, reasoning, tools, images and citations in order, if there is more than text",
    )


class Usage(ResponseModel):
    """Tokens, as the provider counted them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int = Field(description="part of the input; 0 if the provider does not report it")
    reasoning_tokens: int = Field(description="part of the output; 0 if the provider does not report it")


class Failure(ResponseModel):
    """The reason why a turn failed. The message contains no text of the provider and no internal details."""

    code: ErrorCode
    message: str


class Queue(ResponseModel):
    """Why a turn waits: the turn before it in its session, no free worker, a later retry, or a pause by an operator."""

    position: int = Field(description="its position among the live turns of its session, from 1")
    waiting_for: WaitingFor
    turn_id: TurnId | None = Field(description="the turn right before it")
    retry_at: Instant | None


class Links(ResponseModel):
    self: str
    events: str
    cancel: str
    session: str
    messages: str


class Turn(ResponseModel):
    """One user message and its answer, in one session."""

    id: TurnId
    object: Literal["turn"] = "turn"
    session_id: Id
    user_id: Id | None
    sequence: int = Field(description="its position in its session, from 1")
    status: Status
    status_reason: str | None = Field(description="`length`, `expired`, `interrupted` or `stopped`, if it ended so")
    attempt: int
    losses: int = Field(description="workers that died while they ran it; these runs are not counted as attempts")
    lane: Lane
    assistant: Name
    model: str | None
    input: str = Field(description="its text; for parts, with a placeholder for each image and file")
    input_parts: Parts = Field(validation_alias="parts", description="if the input is more than text")
    output: Output | None = Field(validation_alias="answer")
    usage: Usage | None
    error: Failure | None = Field(validation_alias="failure")
    queue: Queue | None = Field(validation_alias="waiting", description="while it is queued")
    retry_of: TurnId | None
    regenerates: TurnId | None = Field(description="the turn whose question it answers again, or in other words")
    superseded_by: TurnId | None = Field(description="the turn that has replaced its messages in the history")
    forked_from: Id | None = Field(description="the session from which its session was forked with this turn")
    metadata: Mapping[str, str]
    accepted_at: Instant
    started_at: Instant | None
    finished_at: Instant | None
    expires_at: Instant | None = Field(description="the time until which the ended turn is kept")

    @computed_field  # type: ignore[prop-decorator]  # mypy does not know decorated properties
    @property
    def links(self) -> Links:
        turn, session = link(f"/v1/turns/{self.id}"), link(f"/v1/sessions/{self.session_id}")
        user = f"?user_id={self.user_id}" if self.user_id else ""
        return Links(
            self=turn,
            events=f"{turn}/events",
            cancel=f"{turn}/cancel",
            session=f"{session}{user}",
            messages=f"{session}/messages{user}",
        )


class Session(ResponseModel):
    object: Literal["session"] = "session"
    session_id: Id
    user_id: Id | None
    status: Annotated[Literal["idle", "busy"], BeforeValidator(lambda is_busy: "busy" if is_busy else "idle")] = Field(
        validation_alias="is_busy"
    )
    running_turn: TurnId | None = Field(validation_alias="running")
    queued_turns: tuple[TurnId, ...] = Field(
        validation_alias="queued", description="in the order in which they will run"
    )
    message_count: int
    version: int = Field(description="rises with each commit and each other change; for `If-Match`")
    last_active_at: Instant | None = Field(validation_alias="active_at")
    title: str | None = Field(description="the beginning of the first message, until it is set")
    metadata: Mapping[str, str]
    archived: bool = Field(validation_alias="is_archived")
    ttl_seconds: float | None = Field(description="time for which the idle session is kept; null: for ever")
    created_at: Instant | None
    forked_from: Id | None = Field(description="the session with whose messages it began")


class Message(ResponseModel):
    """One committed message."""

    object: Literal["message"] = "message"
    number: int = Field(description="its position in the history of the session, from 1")
    role: Literal["user", "assistant"]
    content: str = Field(description="its text, with a placeholder for each image and file")
    parts: Parts = Field(description="if it is more than text")
    turn_id: TurnId | None
    created_at: Instant | None = Field(description="when its turn was accepted, or answered; null if that is unknown")
    metadata: Mapping[str, str] = Field(description="of its turn")
    incomplete: bool = Field(
        validation_alias="is_incomplete", description="whether it is the partial answer of a turn that was stopped"
    )


class UnansweredQuestion(ResponseModel):
    """A question that got no answer. The session keeps its last 20."""

    object: Literal["unanswered_question"] = "unanswered_question"
    turn_id: TurnId
    sequence: int = Field(description="of its turn")
    after: int = Field(description="the number of the last message before it, 0 if there was none")
    content: str = Field(validation_alias="question", description="the beginning of a longer text")
    truncated: bool = Field(validation_alias="is_cut", description="whether the text was longer")
    status: Status = Field(description="`failed`, `cancelled` or `incomplete`")
    error: Failure | None = Field(validation_alias="failure")
    accepted_at: Instant
    finished_at: Instant


class UnansweredQuestions(ResponseModel):
    object: Literal["list"] = "list"
    data: tuple[UnansweredQuestion, ...]


class Variable(ResponseModel):
    description: str
    required: bool = Field(validation_alias="is_required")
    default: str | None
    max_length: int | None = Field(description="in characters, if it has its own limit")


class Assistant(ResponseModel):
    object: Literal["assistant"] = "assistant"
    name: Name
    description: str
    model: str
    lane: Lane = Field(description="of turns whose caller names none")
    variables: Mapping[str, Variable]
    max_input_bytes: int = Field(description="of a turn's input, in UTF-8")
    accepts: tuple[str, ...] = Field(description="what a turn's input can contain")


class SessionCount(ResponseModel):
    count: int
    is_exact: bool = Field(description="false: there are more, which were not read")


class SessionPage(GatheredPage[Session, str]):
    """A page of sessions, which may be short or empty and not the last; `total` is null unless it was asked for."""

    total: SessionCount | None = None


class UserErasure(ResponseModel):
    """The receipt of the erasure of a user. The counts are those of all calls until it was complete."""

    object: Literal["user_erasure"] = "user_erasure"
    user_id: Id
    status: Annotated[
        Literal["completed", "in_progress"], BeforeValidator(lambda done: "completed" if done else "in_progress")
    ] = Field(validation_alias="is_complete", description="`in_progress`: it goes on by itself")
    sessions: int
    turns: int
    usage_rows: int = Field(description="daily sums of tokens and cost that were given to no user")
    requested_at: Instant
    ended_at: Instant | None


class FieldError(ResponseModel):
    """A wrong value: its path, in the caller's spelling, and the rule that it breaks."""

    field: str
    rule: str


class Problem(ResponseModel):
    """RFC 9457. `code` is stable; `request_id` identifies the request in the log.

    `errors` has the first ten wrong fields of an invalid request; `detail` names all of these, one a line.
    """

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    request_id: str
    errors: tuple[FieldError, ...] = Field((), exclude_if=lambda errors: not errors)


class AcceptedItem(ResponseModel):
    status: Literal[202] = 202
    turn: Turn


class RefusedItem(ResponseModel):
    status: int
    problem: Problem


class Batch(ResponseModel):
    """The result of each turn, in the order of the request."""

    object: Literal["list"] = "list"
    data: tuple[AcceptedItem | RefusedItem, ...]
