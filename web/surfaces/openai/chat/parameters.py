"""The parameters of a completion: which are honoured, refused or without effect.

Parameters that change the meaning of the answer or its form are refused. Those that only tune it have no effect,
because the assistant determines how its model is called: `temperature`, `top_p`, `max_tokens`, penalties, `seed`,
`reasoning_effort` and others, also those of other services.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from turns.domain.errors import MAX_FIELD_ERRORS, FieldError
from web.surfaces.openai.unsupported import UnsupportedParameter

# The values with which a parameter asks for nothing.
NEUTRAL: Mapping[str, tuple[Any, ...]] = {
    "audio": (),
    "function_call": ("none", "auto"),
    "functions": ([],),
    "logit_bias": ({},),
    "logprobs": (False,),
    "modalities": (["text"], []),
    "n": (1,),
    "stop": ([], ""),
    "suffix": ("",),
    "tool_choice": ("none", "auto"),
    "tools": ([],),
    "top_logprobs": (0,),
    "web_search_options": (),
}
REASONS = {
    "n": "must be 1",
    "stop": "is not supported: an assistant has its own stop sequences",
    "tools": "is not supported: an assistant has its own tools",
    "functions": "is not supported: an assistant has its own tools",
}


def check_parameters(body: Mapping[str, Any]) -> None:
    """Raise `UnsupportedParameter` for the parameters that cannot be honoured."""
    if errors := list(_errors(body))[:MAX_FIELD_ERRORS]:
        raise UnsupportedParameter(errors[0].field, errors[0].rule, *errors[1:])


def _errors(body: Mapping[str, Any]) -> Iterator[FieldError]:
    for name, neutral in NEUTRAL.items():
        value = body.get(name)
        if value is not None and value not in neutral:
            yield FieldError(name, REASONS.get(name, "is not supported"))
