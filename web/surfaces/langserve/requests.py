"""The requests of `RemoteRunnable`, and the turns that they stand for."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from turns.domain.assistant import Assistant
from turns.domain.errors import InvalidRequest
from turns.domain.ids import new_token

SESSION_NAMES = ("session_id", "conversation_id")
MAX_INPUTS = 100


class InvokeBody(BaseModel):
    """The body of `invoke` and `stream`."""

    model_config = ConfigDict(extra="allow", strict=True)

    input: Any
    config: dict[str, Any] = Field(default_factory=dict)


class BatchBody(BaseModel):
    """The body of `batch`: one config for all inputs, or one for each."""

    model_config = ConfigDict(extra="allow", strict=True)

    inputs: Annotated[list[Any], Field(min_length=1, max_length=MAX_INPUTS)]
    config: dict[str, Any] | list[dict[str, Any]] = Field(default_factory=dict)

    def split(self) -> list[InvokeBody]:
        """Return a body for each input. Raises `InvalidRequest` if the configs are not as many as the inputs."""
        configs = self.config if isinstance(self.config, list) else [self.config] * len(self.inputs)
        if len(configs) != len(self.inputs):
            raise InvalidRequest("config", "must be one, or one for each input")
        return [
            InvokeBody.model_validate({**(self.model_extra or {}), "input": given, "config": config})
            for given, config in zip(self.inputs, configs, strict=True)
        ]


def to_submit(body: InvokeBody, assistant: Assistant, cookies: Mapping[str, str]) -> dict[str, Any]:
    """Return the body of `POST /v1/turns`. Raises `InvalidRequest`."""
    if (body.model_extra or {}).get("kwargs"):
        raise InvalidRequest("kwargs", "must be empty: an assistant determines how its model is called")
    configurable = body.config.get("configurable") or {}
    if not isinstance(configurable, dict):
        raise InvalidRequest("config.configurable", "must be an object")
    named = [configurable[name] for name in SESSION_NAMES if configurable.get(name)]
    user_id = configurable.get("user_id") or cookies.get("user_id")
    text, variables = _split_input(body.input, assistant)
    return {
        "session_id": named[0] if named else f"langserve-{new_token()}",
        "assistant": assistant.name,
        "input": text,
        "variables": variables,
        **({"user_id": user_id} if user_id else {}),
    }


def _split_input(given: Any, assistant: Assistant) -> tuple[Any, dict[str, Any]]:
    """Return the text of the question, and the variables of the assistant's prompt."""
    if not isinstance(given, dict) or _is_message(given):
        return _to_text(given, "input"), {}
    variables = {name: value for name, value in given.items() if name in assistant.variables}
    others = [name for name in given if name not in variables]
    if len(others) != 1:
        listed = ", ".join(map(json.dumps, others)) or "none"
        raise InvalidRequest("input", f"must have one field besides the variables of the assistant; it has {listed}")
    return _to_text(given[others[0]], f"input.{others[0]}"), variables


def _to_text(given: Any, field: str) -> str:
    """Return a text, or that of a message, or of the last message of a list."""
    last = given[-1] if isinstance(given, list) and given else given
    text = last.get("content") if isinstance(last, dict) and _is_message(last) else last
    if not isinstance(text, str):
        raise InvalidRequest(field, "must be text, a message, or a list of messages that ends with one")
    return text


def _is_message(given: Mapping[str, Any]) -> bool:
    return given.get("type") in {"human", "HumanMessageChunk"} and "content" in given
