"""The parameters of a request to a model's provider."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any


class MaxTokensName(StrEnum):
    """Name under which a provider accepts the maximum number of tokens."""

    MAX_TOKENS = "max_tokens"  # most servers
    MAX_COMPLETION_TOKENS = "max_completion_tokens"  # OpenAI, whose newer models refuse the older name


@dataclass(frozen=True, kw_only=True)
class ModelParameters:
    """The contents of a request besides model and messages; None means the provider's default.

    `stream_options`: ask for the token counts of a stream. `extra`: fields that are sent as they are.
    """

    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    max_tokens_name: MaxTokensName = MaxTokensName.MAX_COMPLETION_TOKENS
    stop: Sequence[str] = ()
    response_format: Mapping[str, Any] | None = None
    stream_options: bool = True
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cache_key(self) -> str:
        """Return a text that is equal for equal parameters."""
        return json.dumps({f.name: getattr(self, f.name) for f in fields(ModelParameters)}, sort_keys=True)

    @property
    def extra_body(self) -> dict[str, Any]:
        """Return the fields that are added to the body of each request.

        `response_format` is among them, because LangChain calls another method of OpenAI's client for its own.
        """
        own = {"response_format": self.response_format} if self.response_format else {}
        return {**self.extra, **own}
