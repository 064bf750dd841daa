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

    A turn with `regenerates` replaces the messages of that turn, the last committed one of its session. With
    `forked_from`, that turn is in the session with this key instead, and the new session begins with the messages
    before it; the version of the file with them may follow the key after a space.

    A turn with a `past` stands alone: it neither reads nor writes a history, and its session is in no list.
    """

    session_id: str
    input: str
    parts: tuple[Part, ...] = ()  # of an input that is more than text; then `input` is their text
    user_id: str | None = None
    tenant: str = DEFAULT_TENANT
    assistant: Assistant = DEFAULT  # the version under which to accept it
    variables: Mapping[str, str] = field(default_factory=dict)  # the caller's, without defaults
    metadata: Mapping[str, str] = field(default_factory=dict)
    on_busy: OnBusy = OnBusy.ENQUEUE
    lane: Lane | None = None  # None: the assistant's
    start_within_seconds: float | None = None
    idempotency_key: str | None = None
    retry_of: str | None = None
    regenerates: str | None = None
    forked_from: str | None = None
    traceparent: str | None = None
    request_id: str | None = None
    key_id: str | None = None  # of the caller's API key
    if_version: int | None = None  # the version that the session must have
    response_format: str | None = None  # the form that the answer must have, as JSON
    past: tuple[Message, ...] | None = None  # the messages before the question
    instructions: str | None = None  # after the system prompt of the assistant
    body_digest: str | None = None  # identifies the request if its idempotency key is used again; None: all fields do

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)
