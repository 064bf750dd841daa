"""The schema of `assistants.toml`, from which the tables in `docs/guides/assistants.md` are generated."""

import re
import string
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from turns.assistants.parameter_rules import (
    check_accepts,
    check_extra,
    check_finish_reasons,
    check_response_format,
    check_stop,
    to_texts,
)
from turns.assistants.table import Table
from turns.config.provider_url import parse_provider_url
from turns.domain.assistant import Assistant, HistoryMode, Lane, RunsIn, Variable
from turns.domain.content.parts import Accepts
from turns.domain.model_parameters import MaxTokensName

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
RESERVED_NAMES = frozenset({"input", "history"})  # every chain receives them besides the variables
MAX_SYSTEM_CHARACTERS = 65_536  # the definition is sent to a worker with each turn
MAX_VARIABLE_CHARACTERS = 8192  # the size limit of a request, in bytes, applies too


def _variable_name(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        raise ValueError("a variable's name must be 1 to 64 letters, digits and _, and must not begin with a digit")
    if name in RESERVED_NAMES:
        raise ValueError(f"{name!r} is a reserved name, because every chain receives it; choose another name")
    return name


def _matching(pattern: re.Pattern[str], rule: str) -> AfterValidator:
    """Return a validator whose error omits the value, which may be a key in the wrong field."""

    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise ValueError(rule)
        return value

    return AfterValidator(check)


def _base_url(url: str) -> str:
    if url:  # `min_length` reports an empty one
        parse_provider_url(url)
    return url


class VariableTable(Table):
    """One `[assistants.NAME.variables.VARIABLE]`."""

    default: str | None = Field(
        None, description="Value if the caller does not set the variable. Without a default, the variable is required"
    )
    max_length: int | None = Field(None, ge=1, le=MAX_VARIABLE_CHARACTERS, description="Maximum number of characters")
    description: str = Field("", description="Purpose of the variable, for callers")

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default is not None and self.max_length is not None and len(self.default) > self.max_length:
            raise ValueError(f"the default is longer than max_length, {self.max_length}")
        return self


class AssistantTable(Table):
    """One `[assistants.NAME]`."""

    description: str = Field("", description="Purpose of the assistant, for callers")
    system: str = Field(
        "",
        max_length=MAX_SYSTEM_CHARACTERS,
        description="System prompt. `{name}` is replaced by the variable of that name, `{{` by a brace",
    )
    chain: Annotated[str, _matching(FACTORY, "must be package.module:factory")] = Field(
        "",
        description="Custom chain instead of a prompt: `package.module:factory`, see [custom chains](custom_chains.md)",
    )
    runs_in: RunsIn | None = Field(
        None,
        strict=False,
        description="Where a custom chain runs: `thread` for a thread of a chain worker, `process` for a process per turn, "
        "or `loop` for the event loop that the other turns of a worker share. Default: `thread`",
    )
    variables: dict[Annotated[str, AfterValidator(_variable_name)], VariableTable] = Field(
        default_factory=dict,
        description="Variables that callers can set, each a table such as `[assistants.NAME.variables.ability]`",
    )
    model: str | None = Field(
        None, min_length=1, description="Name of the model at the provider. Default: `INTURN_MODEL`"
    )
    fallback_model: str | None = Field(
        None,
        description="Another model at the same provider, used when the first one fails. Default: none if `model`, `base_url` or "
        "`api_key_env` is set, else `INTURN_FALLBACK_MODEL`",
    )
    base_url: Annotated[str, AfterValidator(_base_url)] | None = Field(
        None, min_length=1, description="Base URL of an OpenAI-compatible endpoint. Default: `OPENAI_BASE_URL`"
    )
    api_key_env: Annotated[str, _matching(ENVIRONMENT_NAME, "must be the name of an environment variable")] | None = (
        Field(
            None,
            min_length=1,
            description="Name of the worker's environment variable that contains the provider's API key, so that the file "
            "contains no key. Default: none if `base_url` is set, else `OPENAI_API_KEY`",
        )
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="Sampling temperature, as defined by the provider. Default: the provider's"
    )
    max_tokens: int | None = Field(
        None,
        ge=1,
        description="Maximum number of tokens of an answer. A truncated answer is kept, with the status reason `length`",
    )
    max_tokens_name: MaxTokensName = Field(
        MaxTokensName.MAX_COMPLETION_TOKENS,
        strict=False,
        description="Name under which `max_tokens` is sent: `max_completion_tokens`, or `max_tokens` for servers that know only "
        "the older name",
    )
    top_p: float | None = Field(None, ge=0, le=1, description="Nucleus sampling. Default: the provider's")
    stop: Annotated[tuple[str, ...], BeforeValidator(to_texts), AfterValidator(check_stop)] = Field(
        (),
        description="Text at which the model stops, or a list of up to 4",
    )
    response_format: Annotated[dict[str, Any], AfterValidator(check_response_format)] | None = Field(
        None,
        description='Form of the answer, as OpenAI defines it: `{ type = "json_object" }`, or `json_schema` with a schema. Answers are checked; a turn can bring its own',
    )
    stream_options: bool = Field(
        True,
        description="Ask for the token counts of a stream. `false` for servers that refuse `stream_options`; their turns have "
        "usage only if the server reports it unasked",
    )
    extra: Annotated[dict[str, Any], AfterValidator(check_extra)] = Field(
        default_factory=dict,
        description="Further fields of the request's body, sent as they are, such as `{ top_k = 40 }`",
    )
    finish_reasons: Annotated[tuple[str, ...], BeforeValidator(to_texts), AfterValidator(check_finish_reasons)] = Field(
        (),
        description="The provider's own finish reasons that end a complete answer. `stop`, `length` and common words such as "
        "`eos` and `end_turn` are always accepted",
    )
    reasoning: bool = Field(
        False, description="Send the model's reasoning to callers, if the provider sends it, as events of the stream"
    )
    tool_details: bool = Field(
        False,
        description="Send callers the arguments and results of a custom chain's tools too, not only their names and states",
    )
    accepts: Annotated[tuple[str, ...], BeforeValidator(to_texts), AfterValidator(check_accepts)] = Field(
        (Accepts.TEXT,),
        description="Input that it takes: `text`, `image`, `image_url` (an address, which the provider fetches) and `file`, "
        "see [images and files](files.md)",
    )
    history: HistoryMode = Field(
        HistoryMode.PAIR,
        strict=False,
        description="Messages of a turn that enter the history: `pair` for the question and the final answer, `full` also for "
        "tool calls and their results, if the chain returns them",
    )
    history_messages: int | None = Field(
        None,
        ge=0,
        description="Maximum number of history messages that the model receives. Default: `INTURN_HISTORY_WINDOW`",
    )
    history_tokens: int | None = Field(
        None,
        ge=1,
        description="Approximate maximum number of tokens of these messages, as counted by LangChain's `trim_messages`. A question is kept or dropped together with its answer",
    )
    first_token_seconds: float | None = Field(None, gt=0, description="Replaces `INTURN_FIRST_TOKEN_SECONDS`")
    idle_seconds: float | None = Field(None, gt=0, description="Replaces `INTURN_IDLE_SECONDS`")
    total_seconds: float | None = Field(None, gt=0, description="Replaces `INTURN_TOTAL_SECONDS`")
    lane: Lane = Field(
        Lane.INTERACTIVE,
        strict=False,
        description="Lane of its turns if the caller sets none: `interactive`, or `batch` for bulk jobs",
    )
    concurrency: int | None = Field(
        None,
        ge=1,
        description="Maximum number of its turns that run concurrently, in all workers; the others wait. A limit below the workers' `INTURN_CONCURRENCY` keeps a slow provider from holding all of them",
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if self.chain and self.system:
            raise ValueError("has a system prompt and a chain; a custom chain contains its own prompt")
        if self.runs_in and not self.chain:
            raise ValueError("has runs_in without a chain; only a custom chain has a choice")
        if len(self.accepts) > 1 and "question" in self.variables:
            raise ValueError("has a variable question; a chain that accepts more than text receives its question there")
        for name in _placeholders(self.system):
            if name not in self.variables:
                raise ValueError(
                    f"the system prompt has {{{name}}}, which is not a declared variable; write {{{{ for a brace"
                )
        return self

    def to_assistant(self, name: str) -> Assistant:
        """Return the assistant that this table defines."""
        variables = {variable: Variable(**dict(table)) for variable, table in self.variables.items()}
        return Assistant(name=name, **{**dict(self), "variables": variables})


def _placeholders(system: str) -> list[str]:
    """Return the names in braces; raise ValueError for attributes and indexes, which could expose data."""
    try:
        parsed = [(name, form, conversion) for _, name, form, conversion in string.Formatter().parse(system)]
    except ValueError as error:
        raise ValueError(f"the system prompt is not a valid template: {error}; write {{{{ for a brace") from None
    names = []
    for name, form, conversion in parsed:
        if name is None:
            continue
        if form or conversion or not IDENTIFIER.fullmatch(name):
            raise ValueError(f"the system prompt has {{{name}}}; only a variable's name may be in braces")
        names.append(name)
    return names
