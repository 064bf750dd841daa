"""Which parameters of a request are honoured: what would change the answer is refused unless it has no effect."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from turns.domain.errors import InvalidRequest
from web.surfaces.openai.unsupported import UnsupportedParameter

HONOURED = frozenset(
    {
        "background",
        "conversation",
        "input",
        "instructions",
        "metadata",
        "model",
        "previous_response_id",
        "prompt",
        "store",
        "stream",
        "text",
    }
)
TURN_FIELDS = ("on_busy", "lane", "start_within_seconds")  # of `POST /v1/turns`, in the option `extra_body`
# Caches and labels of the provider, which change no answer.
IGNORED = frozenset(
    {
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "stream_options",
        "user",
    }
)
# The values of other parameters that have no effect here: defaults, and what an assistant without tools does anyway.
WITHOUT_EFFECT: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {
        "context_management": ([],),
        "include": (
            [],
            ["reasoning.encrypted_content"],
        ),
        "max_tool_calls": (),
        "parallel_tool_calls": (True, False),
        "reasoning": ({},),
        "service_tier": ("auto", "default"),
        "temperature": (1,),
        "tool_choice": ("auto", "none"),
        "tools": ([],),
        "top_logprobs": (0,),
        "top_p": (1,),
        "truncation": ("auto", "disabled"),
    }
)


def check_parameters(given: Mapping[str, Any]) -> None:
    """Raise `UnsupportedParameter` for the first one that would change the answer. Null is the default of each."""
    for name, value in given.items():
        if value is None or name in HONOURED or name in TURN_FIELDS or name in IGNORED:
            continue
        if not any(value == harmless for harmless in WITHOUT_EFFECT.get(name, ())):
            raise UnsupportedParameter(name)


def to_response_format(text: Any) -> dict[str, Any] | None:
    """Return the `response_format` of a turn for the parameter `text`; None for plain text."""
    if not isinstance(text, dict):
        raise InvalidRequest("text", "must be an object")
    for name, value in text.items():
        if name != "format" and value not in {None, "medium"}:
            raise UnsupportedParameter(f"text.{name}")
    form = text.get("format") or {"type": "text"}
    if not isinstance(form, dict):
        raise InvalidRequest("text.format", "must be an object")
    if form.get("type") == "text":
        return None
    named = {name: value for name, value in form.items() if name != "type" and value is not None}
    return {"type": form.get("type"), **({"json_schema": named} if named else {})}
