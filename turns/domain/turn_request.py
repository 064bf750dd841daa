"""A valid request for a turn, with the fields that its caller gives."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from turns.domain.assistant import DEFAULT, Assistant, Lane
from turns.domain.content.parts import Part
from turns.domain.ids import DEFAULT_TENANT, session_key
from turns.domain.messages import Message


class OnBusy(StrEnum):
    """Policy for a new turn whose session has live turns."""

    ENQUEUE = "enqueue"  # wait for them
    REJECT = "reject"  # refuse the new turn
    INTERRUPT = "interrupt"  # end the running turn with its partial answer; cancel the queued ones
    ROLLBACK = "rollback"  # cancel all live turns; none of them enters the history


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRequest:
    """A valid request for a turn.

    `parts` are set for an input that is more than text; then `input` is their text.
    `assistant` is the version under which to accept it. `variables` and `lane` are the caller's, without defaults.
    `key_id` is the id of its API key. `if_version`: the version that the session must have.
    `regenerates`: the last committed turn of the session, whose messages this one replaces. `forked_from`: that turn is
    in this session instead, as its key, and the new session begins with the messages before it; after a space, the
    version of the file with them.
    `response_format`: the form that the answer must have, as JSON.
    `past`: the messages before the question. Such a turn stands alone: it neither reads nor writes a history, and its
    session is in no list. `instructions` follow the system prompt of the assistant.
    `body_digest` stands for the request if its idempotency key is used again; None for the values of all fields.
    """

    session_id: str
    input: str
    parts: tuple[Part, ...] = ()
    user_id: str | None = None
    tenant: str = DEFAULT_TENANT
    assistant: Assistant = DEFAULT
    variables: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    on_busy: OnBusy = OnBusy.ENQUEUE
    lane: Lane | None = None
    start_within_seconds: float | None = None
    idempotency_key: str | None = None
    retry_of: str | None = None
    regenerates: str | None = None
    forked_from: str | None = None
    traceparent: str | None = None
    request_id: str | None = None
    key_id: str | None = None
    if_version: int | None = None
    response_format: str | None = None
    past: tuple[Message, ...] | None = None
    instructions: str | None = None
    body_digest: str | None = None

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)
