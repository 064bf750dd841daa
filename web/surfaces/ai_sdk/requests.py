"""The requests of `useChat`, and the turns that they stand for."""

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from turns.domain.errors import InvalidRequest
from web.surfaces.ai_sdk.files import FilePart, Keep

MAX_MESSAGES = 2_000  # of a page that has shown the whole conversation
TURN_FIELDS = ("user_id", "assistant", "variables", "metadata", "on_busy", "lane")


class UIMessage(BaseModel):
    """A message of the page. Only the last one of the user is read; the history is the service's."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Annotated[str, Field(max_length=200)] = ""
    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Question:
    """The text and the files of a message, in their order."""

    id: str
    parts: tuple[str | FilePart, ...]

    @property
    def has_files(self) -> bool:
        return any(isinstance(part, FilePart) for part in self.parts)

    def to_input(self, keep: Keep) -> str | list[dict[str, str]]:
        """Return the `input` of a turn; `keep` stores a file. Raises `InvalidRequest`."""
        if not self.has_files:
            return "".join(part for part in self.parts if isinstance(part, str))
        return [{"type": "text", "text": part} if isinstance(part, str) else part.to_input(keep) for part in self.parts]

    def idempotency_key(self, chat_id: str) -> str | None:
        """Return the key of the message id, which the page has made up; None without one."""
        if not self.id:
            return None
        content = json.dumps([part.content if isinstance(part, FilePart) else part for part in self.parts])
        return hashed(chat_id, self.id, content)


class ChatBody(BaseModel):
    """The body of `POST /ai/v7/chat`. A page can add the fields of a turn in the option `body` of its transport."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: str
    messages: list[UIMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    trigger: Literal["submit-message", "regenerate-message"] = "submit-message"
    message_id: Annotated[str | None, Field(alias="messageId")] = None
    user_id: Any = None
    assistant: Any = None
    variables: Any = None
    metadata: Any = None
    on_busy: Any = None
    lane: Any = None

    @property
    def question(self) -> Question:
        """The last message. Raises `InvalidRequest` unless it is text and files of the user."""
        at = len(self.messages) - 1
        message = self.messages[at]
        if message.role != "user":
            raise InvalidRequest(f"messages.{at}.role", "must be user: the last message is the question")
        parts = (_to_part(part, f"messages.{at}.parts.{n}") for n, part in enumerate(message.parts))
        return Question(message.id, tuple(part for part in parts if part))

    @property
    def question_id(self) -> str:
        return self.messages[-1].id

    @property
    def answer_ids(self) -> list[str]:
        """The ids of the answers that the page shows, oldest first; ids of turns, unless the page made them up."""
        return [message.id for message in self.messages if message.role == "assistant"]

    def to_submit(self, given_input: Any) -> dict[str, Any]:
        """Return the body of `POST /v1/turns` for the question."""
        given = {name: value for name in TURN_FIELDS if (value := getattr(self, name)) is not None}
        return {"session_id": self.id, "input": given_input, **given}


def _to_part(part: dict[str, Any], field: str) -> str | FilePart:
    match part:
        case {"type": "text", "text": str(text)}:
            return text
        case {"type": "file"}:
            return FilePart.parse(part, field)
    raise InvalidRequest(field, "must be text or a file; other parts are not supported here")


def hashed(*values: str) -> str:
    """Return an idempotency key for the values."""
    return "ai-sdk:" + hashlib.sha256("\n".join(values).encode()).hexdigest()
