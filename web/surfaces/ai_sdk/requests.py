"""The requests of `useChat`, and the turns that they stand for."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from turns.domain.errors import InvalidRequest

MAX_MESSAGES = 2_000  # of a page that has shown the whole conversation
TURN_FIELDS = ("user_id", "assistant", "variables", "metadata", "on_busy", "lane")


class UIMessage(BaseModel):
    """A message of the page. Only the last one of the user is read; the history is the service's."""

    model_config = ConfigDict(extra="ignore", strict=True)

    id: Annotated[str, Field(max_length=200)] = ""
    role: Literal["system", "user", "assistant"]
    parts: list[dict[str, Any]] = Field(default_factory=list)


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
    def question(self) -> tuple[str, str]:
        """The id and the text of the last message. Raises `InvalidRequest` unless it is text of the user."""
        at = len(self.messages) - 1
        message = self.messages[at]
        if message.role != "user":
            raise InvalidRequest(f"messages.{at}.role", "must be user: the last message is the question")
        for number, part in enumerate(message.parts):
            if part.get("type") != "text" or not isinstance(part.get("text"), str):
                raise InvalidRequest(
                    f"messages.{at}.parts.{number}", "must be text; other parts are not supported here"
                )
        return message.id, "".join(part["text"] for part in message.parts)

    @property
    def question_id(self) -> str:
        return self.messages[-1].id

    @property
    def answer_ids(self) -> list[str]:
        """The ids of the answers that the page shows, oldest first; ids of turns, unless the page made them up."""
        return [message.id for message in self.messages if message.role == "assistant"]

    def to_submit(self, text: str) -> dict[str, Any]:
        """Return the body of `POST /v1/turns` for the question."""
        given = {name: value for name in TURN_FIELDS if (value := getattr(self, name)) is not None}
        return {"session_id": self.id, "input": text, **given}
