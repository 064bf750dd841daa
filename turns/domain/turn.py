"""The values of the domain: a requested turn, its record, a worker's claim on it, and its answer.

All are immutable. Instants are milliseconds since the epoch on the store's clock.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any, Self

from turns.domain.assistant import DEFAULT, Assistant, Lane
from turns.domain.content.answer_parts import Extra
from turns.domain.content.parts import Part, from_json
from turns.domain.error_codes import Code, error_message
from turns.domain.events import EventType
from turns.domain.ids import DEFAULT_TENANT, session_key, tenant_of, unescape_id
from turns.domain.messages import Message, parse_lines
from turns.domain.open_enum import member_or_text
from turns.domain.state import Status


class OnBusy(StrEnum):
    """Policy for a new turn whose session has live turns."""

    ENQUEUE = "enqueue"  # wait for them
    REJECT = "reject"  # refuse the new turn
    INTERRUPT = "interrupt"  # end the running turn with its partial answer; cancel the queued ones
    ROLLBACK = "rollback"  # cancel all live turns; none of them enters the history


class WaitingFor(StrEnum):
    """Reason why a queued turn has not started."""

    TURN = "turn"  # the turn before it in its session
    WORKER = "worker"  # a free worker
    RETRY = "retry"  # the time of its next attempt
    PAUSE = "pause"  # the end of a pause by an operator


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


_REQUIRED = frozenset({"input_tokens", "output_tokens", "total_tokens"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Token counts as reported by the provider.

    `cached_tokens` are part of the input, `reasoning_tokens` of the output; both are 0 if it does not report them.
    """

    input_tokens: int
    output_tokens: int
    total_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    def to_json(self) -> str:
        """Return the counts as they are stored, without the optional ones that are 0."""
        return json.dumps(
            {name: n for name, n in asdict(self).items() if n or name in _REQUIRED}, separators=(",", ":")
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Parse stored counts; fields that a later release has added are ignored."""
        counts = json.loads(text)
        return cls(**{f.name: counts[f.name] for f in fields(cls) if f.name in counts})

    def __add__(self, more: "Usage") -> "Usage":
        return Usage(**{f.name: getattr(self, f.name) + getattr(more, f.name) for f in fields(Usage)})


def format_nano(amount: int) -> str:
    """Return an amount in billionths as a decimal number with at least two decimals."""
    whole, nano = divmod(amount, 10**9)
    return f"{whole}.{f'{nano:09}'.rstrip('0'):0<2}"


NO_TOKENS = Usage(input_tokens=0, output_tokens=0, total_tokens=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The tokens, calls and cost of one run, whether or not it ended its turn.

    `unreported_calls`: calls of a model that may have cost something and whose tokens the provider has not reported.
    `cost_nano` is in billionths of `currency`, which is "" if the tokens have no price.
    """

    usage: Usage = NO_TOKENS
    unreported_calls: int = 0
    cost_nano: int = 0
    currency: str = ""

    @property
    def cost(self) -> str:
        """The cost as a decimal number."""
        return format_nano(self.cost_nano)

    @property
    def packed(self) -> str:
        """Return the fields of an entry of the list of usage, as `append_usage.lua` writes it."""
        tokens = self.usage
        counts = (tokens.input_tokens, tokens.cached_tokens, tokens.output_tokens, tokens.reasoning_tokens)
        return "|".join(map(str, (*counts, self.unreported_calls, self.cost_nano, self.currency)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Why a queued turn has not started.

    `position` is its position among the live turns of its session, from 1. `pace_ms` is the recent duration of a turn.
    """

    position: int
    waiting_for: WaitingFor
    pace_ms: int
    turn_id: str | None = None
    retry_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """The record of a turn at one moment.

    `attempt` counts what the turn did itself. `losses` counts the workers that died while they ran it, which may have
    had any cause. `data` is the JSON value that a custom chain returned, or None. `output_parts` is None for text
    alone. `superseded_by` is the turn that has replaced its messages in the history. `text_end` is the length of the
    output if the event stream was folded into the record; `earlier_runs` is the stored list of the runs before.
    `message_numbers` are those of its messages while they are in the history. `forked_from` is the id of the session
    from which its session was forked with this turn.
    """

    id: str
    tenant: str
    session_id: str
    user_id: str | None
    sequence: int
    status: Status
    status_reason: str | None
    attempt: int
    losses: int
    claims: int
    lane: Lane
    assistant: str
    model: str | None
    input: str
    output: str | None
    data: Any
    output_parts: list[dict[str, Any]] | None
    usage: Usage | None
    error_code: Code | str | None
    provider_status: int | None
    waiting: Waiting | None
    retry_of: str | None
    regenerates: str | None
    superseded_by: str | None
    forked_from: str | None
    message_numbers: range | None
    key_id: str | None
    response_format: str | None
    variables: Mapping[str, str]
    metadata: Mapping[str, str]
    accepted_at: int
    started_at: int | None
    finished_at: int | None
    expires_at: int | None
    text_end: int | None = None
    earlier_runs: str = "[]"
    parts: tuple[Part, ...] = ()
    stored_past: str | None = None
    instructions: str | None = None

    @property
    def stands_alone(self) -> bool:
        return self.stored_past is not None

    @property
    def past(self) -> tuple[Message, ...] | None:
        """The messages before the question of a turn that stands alone; None for any other turn."""
        return None if self.stored_past is None else parse_lines(self.stored_past)

    @property
    def answer(self) -> dict[str, Any] | None:
        return None if self.output is None else {"content": self.output, "data": self.data, "parts": self.output_parts}

    @property
    def failure(self) -> dict[str, str | None] | None:
        return None if self.error_code is None else {"code": self.error_code, "message": self.error_message}

    @property
    def error_message(self) -> str | None:
        if self.error_code is None:
            return None
        return error_message(self.error_code, model=self.model, provider_status=self.provider_status)

    @property
    def session(self) -> str:
        return session_key(self.session_id, self.user_id, self.tenant)

    @classmethod
    def from_record(
        cls, turn_id: str, record: Mapping[str, str], *, position: int = 0, ahead: str = "", pace_ms: int = 0
    ) -> Self:
        """Build a turn from its stored record; the keyword arguments describe the wait of a queued turn."""

        def optional_int(name: str) -> int | None:
            return int(record[name]) if name in record else None

        status = Status(record["status"])
        usage = record.get("usage")
        code = record.get("error_code")
        return cls(
            id=turn_id,
            tenant=tenant_of(record["session"]),
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            sequence=int(record["sequence"]),
            status=status,
            status_reason=record.get("status_reason"),
            attempt=int(record["attempt"]),
            losses=int(record.get("losses", 0)),
            claims=int(record["claims"]),
            lane=Lane(record.get("lane", Lane.INTERACTIVE)),
            assistant=record["assistant"],
            model=record.get("model"),
            input=record["input"],
            output=record.get("output"),
            data=json.loads(record.get("output_data", "null")),
            output_parts=json.loads(record["output_parts"]) if "output_parts" in record else None,
            usage=Usage.from_json(usage) if usage else None,
            error_code=member_or_text(Code, code) if code else None,
            provider_status=optional_int("provider_status"),
            waiting=_waiting(record, position, ahead, pace_ms) if status is Status.QUEUED else None,
            retry_of=record.get("retry_of"),
            regenerates=record.get("regenerates"),
            superseded_by=record.get("superseded_by"),
            forked_from=forked_session_id(record.get("forked_from")),
            message_numbers=_numbers(record["messages"]) if "messages" in record else None,
            key_id=record.get("key_id"),
            response_format=record.get("response_format"),
            variables=json.loads(record["variables"]),
            metadata=json.loads(record.get("metadata", "{}")),
            accepted_at=int(record["accepted_at"]),
            started_at=optional_int("started_at"),
            finished_at=optional_int("finished_at"),
            expires_at=optional_int("expires_at"),
            text_end=optional_int("text_end"),
            earlier_runs=record.get("runs", "[]"),
            parts=from_json(record["parts"]) if "parts" in record else (),
            stored_past=record.get("past", "") if "standalone" in record else None,
            instructions=record.get("instructions"),
        )


def _waiting(record: Mapping[str, str], position: int, ahead: str, pace_ms: int) -> Waiting:
    if ahead:
        return Waiting(position=position, waiting_for=WaitingFor.TURN, turn_id=ahead, pace_ms=pace_ms)
    if "paused_by" in record:  # its name and the operator's reason are not for callers
        return Waiting(position=position, waiting_for=WaitingFor.PAUSE, pace_ms=pace_ms)
    if "retry_at" in record:
        retry_at = int(record["retry_at"])
        return Waiting(position=position, waiting_for=WaitingFor.RETRY, retry_at=retry_at, pace_ms=pace_ms)
    return Waiting(position=position, waiting_for=WaitingFor.WORKER, pace_ms=pace_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The state of a session at one moment; `running` and `queued` are turn ids.

    `version` rises with each commit and each other change of the session. `ttl_seconds` is the time for which the idle
    session is kept, None for ever.
    """

    session_id: str
    user_id: str | None
    running: str | None
    queued: tuple[str, ...]
    message_count: int
    active_at: int | None
    version: int
    title: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    is_archived: bool = False
    ttl_seconds: float | None = None
    created_at: int | None = None
    forked_from: str | None = None

    @property
    def is_busy(self) -> bool:
        return bool(self.running or self.queued)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer, or an event beside it, for the turn's event stream.

    The fencing token rejects it after the claim is lost. The entry id makes a repeated write have no effect.
    """

    turn_id: str
    token: str
    entry_id: str
    text: str
    type: EventType = EventType.DELTA


@dataclass(frozen=True, slots=True)
class FileVersion:
    """Committed state of a history file: how many messages, and in which version of the file."""

    count: int
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A worker's right to run one attempt of a turn, with all data that the attempt needs.

    `token` fences every later write. `number` counts the claims of this turn and is the first part of its event ids.
    `losses` counts the workers that died while they ran it.
    `messages` are the stored messages in the model's window, oldest first, each as JSON. `superseded`: a newer turn
    interrupts this one, so it must end with the text of earlier runs instead of calling the model. `file_version` is
    set if histories are files. `provider` is the digest of the assistant's own provider, or "". `is_admitted`: the turn
    may call a model that is on hold, and its answer admits others; `is_probe`: it is the first one, so its failure
    prolongs the hold. `replaced`: how many of the last messages of the history the turn replaces; it does not see them.
    `own_format` is the turn's own `response_format` as JSON.
    `parts` are set for an input that is more than text.
    `stands_alone`: `messages` are the caller's, to be sent as they are, and no history is read or written.
    """

    turn_id: str
    token: str
    number: int
    attempt: int
    session: str
    assistant: Assistant
    input: str
    variables: Mapping[str, str]
    model: str
    waited_ms: int
    superseded: bool
    traceparent: str | None
    messages: tuple[bytes, ...]
    losses: int = 0
    file_version: FileVersion | None = None
    session_id: str = ""
    user_id: str | None = None
    metadata_json: str = "{}"
    provider: str = ""
    key_id: str | None = None
    is_admitted: bool = False
    is_probe: bool = False
    replaced: int = 0
    parts: tuple[Part, ...] = ()
    own_format: str | None = None
    stands_alone: bool = False
    instructions: str | None = None

    @property
    def response_format(self) -> Mapping[str, Any] | None:
        """The form that the answer must have: that of the turn, or of its assistant."""
        own: Mapping[str, Any] | None = json.loads(self.own_format) if self.own_format else None
        return own or self.assistant.response_format

    @property
    def metadata(self) -> dict[str, str]:
        """The caller's metadata, parsed here because only custom chains need it."""
        parsed: dict[str, str] = json.loads(self.metadata_json)
        return parsed

    @property
    def client_request_id(self) -> str:
        """The id that the requests of this run to the provider carry."""
        return f"{self.turn_id}-{self.number}"

    @property
    def hold_name(self) -> str:
        """Name of the model with its provider, as `hold_name.lua` composes it."""
        return f"{self.provider}/{self.model}" if self.provider else self.model

    def delta(self, start: int, text: str, kind: EventType = EventType.DELTA) -> Delta:
        """Return the piece of the output after the number `start`; the first one starts at 0.

        Each character of the answer has a number, and each other event.
        """
        number = start + (len(text) if kind is EventType.DELTA else 1)
        return Delta(self.turn_id, self.token, f"{self.number}-{number}", text, kind)

    @classmethod
    def from_record(
        cls, turn_id: str, token: str, record: Mapping[str, str], messages: tuple[bytes, ...], definition: str
    ) -> Self:
        """Build a claim from the reply of the script `claim`."""
        if "standalone" in record:
            messages = tuple(record.get("past", "").encode().splitlines())
        return cls(
            turn_id=turn_id,
            token=token,
            number=int(record["claims"]),
            attempt=int(record["attempt"]),
            losses=int(record.get("losses", 0)),
            session=record["session"],
            assistant=Assistant.from_definition(definition) if definition else DEFAULT,
            input=record["input"],
            variables=json.loads(record["variables"]),
            model=record["model"],
            waited_ms=int(record["started_at"]) - int(record["accepted_at"]),
            superseded="superseded" in record,
            traceparent=record.get("traceparent"),
            messages=messages,
            session_id=record["session_id"],
            user_id=record.get("user_id") or None,
            metadata_json=record.get("metadata", "{}"),
            provider=record.get("provider", ""),
            key_id=record.get("key_id"),
            is_admitted=bool(record.get("admitted_by")),
            is_probe=bool(record.get("probes")),
            replaced=len(_numbers(record["replaces"])) if "replaces" in record else 0,
            own_format=record.get("response_format"),
            parts=from_json(record["parts"]) if "parts" in record else (),
            stands_alone="standalone" in record,
            instructions=record.get("instructions"),
        )


def _numbers(messages: str) -> range:
    """Return the numbers of messages that `<first>-<last>` names."""
    first, _, last = messages.partition("-")
    return range(int(first), int(last) + 1)


def forked_session_id(forked_from: str | None) -> str | None:
    """Return the id of the session whose key begins a stored `forked_from`."""
    return forked_from and unescape_id(forked_from.partition(" ")[0].rpartition("/")[2])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of an attempt before its commit: the messages to store, and the answer for callers.

    `between_messages` are the tool calls and their results between question and answer, if the assistant keeps them.
    `data` is the object of a custom chain as JSON. `unreported_calls` are calls of a model that `usage` does not have.
    `extras` are its citations and images, and `parts` as JSON is all that it has if that is more than text. `files` are
    the ids of the files with its images.
    `status_reason` is "length" if the model stopped at its token limit; such an answer is kept and can be continued.
    """

    question_message: str
    answer_message: str
    output: str
    model: str
    usage: Usage | None
    unreported_calls: int = 0
    status_reason: str | None = None
    between_messages: tuple[str, ...] = ()
    data: str | None = None
    extras: tuple[Extra, ...] = ()
    parts: str | None = None
    files: tuple[str, ...] = ()
