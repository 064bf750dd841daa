"""A worker's right to run one attempt of a turn, and the pieces of the answer that it emits."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from turns.domain.assistant import DEFAULT, Assistant
from turns.domain.content.parts import Part, from_json
from turns.domain.events import EventType
from turns.domain.messages import parse_numbers


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
    """A worker's right to run one attempt of a turn, with all data that the attempt needs."""

    turn_id: str
    token: str  # fences every later write
    number: int  # of the claims of this turn; the first part of its event ids
    attempt: int
    session: str
    assistant: Assistant
    input: str
    variables: Mapping[str, str]
    model: str
    waited_ms: int
    superseded: bool  # by a newer turn: end with the text of earlier runs instead of calling the model
    traceparent: str | None
    messages: tuple[bytes, ...]  # in the model's window, oldest first, as JSON; of a turn that stands alone, its past
    losses: int = 0  # workers that died while they ran the turn
    file_version: FileVersion | None = None  # if histories are files
    session_id: str = ""
    user_id: str | None = None
    metadata_json: str = "{}"
    provider: str = ""  # digest of the assistant's own provider
    key_id: str | None = None
    is_admitted: bool = False  # it may call a model that is on hold, and its answer admits others
    is_probe: bool = False  # it is the first one, so its failure prolongs the hold
    replaced: int = 0  # number of the last messages of the history that the turn replaces, and does not see
    parts: tuple[Part, ...] = ()  # of an input that is more than text
    own_format: str | None = None  # the turn's own `response_format`, as JSON
    stands_alone: bool = False  # no history is read or written
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
            replaced=len(parse_numbers(record["replaces"])) if "replaces" in record else 0,
            own_format=record.get("response_format"),
            parts=from_json(record["parts"]) if "parts" in record else (),
            stands_alone="standalone" in record,
            instructions=record.get("instructions"),
        )
