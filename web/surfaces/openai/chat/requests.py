"""The body of a completion, as far as it has an effect."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from turns.domain.assistant import Lane
from web.surfaces.openai.chat.binding import Binding
from web.surfaces.openai.chat.messages import MessageBody

MAX_MESSAGES = 2_000
LANES = {"flex": Lane.BATCH, "batch": Lane.BATCH}  # of the service tiers; others are as the assistant says


class StreamOptions(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    include_usage: bool | None = False


class CompletionBody(BaseModel):
    """The body of `POST /openai/v1/chat/completions`. `variables` are those of the assistant."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: str
    messages: Annotated[list[MessageBody], Field(min_length=1, max_length=MAX_MESSAGES)]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    response_format: dict[str, Any] | None = None
    metadata: dict[str, Any] | None = None
    service_tier: str | None = None
    user: str | None = None
    safety_identifier: str | None = None
    variables: dict[str, Any] | None = None

    @property
    def includes_usage(self) -> bool:
        return bool(self.stream_options and self.stream_options.include_usage)

    def user_id(self, binding: Binding) -> str | None:
        """Return the user whom a header or the body names."""
        return binding.user_id or self.safety_identifier or self.user or None

    def to_submit(self, session_id: str, text: Any, binding: Binding) -> dict[str, Any]:
        """Return the body of `POST /v1/turns`."""
        optional = {
            "user_id": self.user_id(binding),
            "variables": self.variables,
            "metadata": self.metadata,
            "response_format": self.response_format,
            "lane": Lane.BATCH if binding.is_task else LANES.get(self.service_tier or ""),
        }
        given = {name: value for name, value in optional.items() if value is not None}
        return {"session_id": session_id, "assistant": self.model, "input": text, **given}
