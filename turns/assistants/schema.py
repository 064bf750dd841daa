"""What may stand in `assistants.toml`: names, defaults and bounds of all fields; `docs/assistants.md` has them too."""

import re
import string
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from turns.domain.assistant import Assistant, HistoryMode, Lane, Variable

IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
URL = re.compile(r"https?://\S+")
FACTORY = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")
RESERVED = frozenset({"input", "history"})  # what every chain is given beside the variables
MAX_SYSTEM = 65_536  # characters; the definition goes to a worker with each turn
MAX_VARIABLE = 8192  # characters; a request's limit is as many bytes


def _variable_name(name: str) -> str:
    if not IDENTIFIER.fullmatch(name):
        raise ValueError("a variable's name is 1 to 64 letters, digits and _, and begins with no digit")
    if name in RESERVED:
        raise ValueError(f"{name!r} is what the chain is given anyway; call the variable something else")
    return name


def _matching(pattern: re.Pattern[str], rule: str) -> AfterValidator:
    """The rule does not repeat the value: that could be a key that somebody wrote into the wrong field."""

    def check(value: str) -> str:
        if value and not pattern.fullmatch(value):
            raise ValueError(rule)
        return value

    return AfterValidator(check)


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class VariableTable(Table):
    default: str | None = Field(None, description="What it is where the caller gives none; without it, it is required")
    max_length: int | None = Field(None, ge=1, le=MAX_VARIABLE, description="The most characters that it may have")
    description: str = Field("", description="What it is for, for those who call")

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        if self.default is not None and self.max_length is not None and len(self.default) > self.max_length:
            raise ValueError(f"the default is longer than max_length, {self.max_length}")
        return self


class AssistantTable(Table):
    """One `[assistants.NAME]`."""

    description: str = Field("", description="What it is for, for those who call")
    system: str = Field(
        "",
        max_length=MAX_SYSTEM,
        description="The system prompt. `{name}` stands for the variable of that name, `{{` for a brace",
    )
    chain: Annotated[str, _matching(FACTORY, "must be package.module:factory")] = Field(
        "",
        description="A chain of your own instead of a prompt: `package.module:factory`, as below",
    )
    variables: dict[Annotated[str, AfterValidator(_variable_name)], VariableTable] = Field(
        default_factory=dict,
        description="What callers can set: a table for each, `[assistants.NAME.variables.ability]`",
    )
    model: str | None = Field(None, min_length=1, description="Its model's name at the provider; else `INTURN_MODEL`")
    fallback_model: str | None = Field(
        None,
        description="Another model at the same provider, asked when the first one cannot answer. Where `model`, `base_url` or "
        "`api_key_env` is set, none; else `INTURN_FALLBACK_MODEL`",
    )
    base_url: Annotated[str, _matching(URL, "must begin with http:// or https://")] | None = Field(
        None, min_length=1, description="An OpenAI-compatible endpoint; else `OPENAI_BASE_URL`"
    )
    api_key_env: Annotated[str, _matching(ENVIRONMENT_NAME, "must be the name of an environment variable")] | None = (
        Field(
            None,
            min_length=1,
            description="The environment variable that holds the provider's key, in the worker; the key itself stands in no "
            "file. Where `base_url` is set, none; else `OPENAI_API_KEY`",
        )
    )
    temperature: float | None = Field(
        None, ge=0, le=2, description="As the provider understands it; else the provider's"
    )
    max_tokens: int | None = Field(
        None, ge=1, description="The most tokens of an answer; one that is cut there is kept and says `length`"
    )
    history: HistoryMode = Field(
        HistoryMode.PAIR,
        strict=False,
        description="What of a turn enters the history: `pair`, the question and the final answer; `full`, also the tool "
        "calls and their results, where a chain gives them",
    )
    history_messages: int | None = Field(
        None,
        ge=0,
        description="The most messages of the history that the model sees, dropped half a window at a time; else "
        "`INTURN_HISTORY_WINDOW`",
    )
    history_tokens: int | None = Field(
        None,
        ge=1,
        description="The most tokens of these, about, as LangChain's `trim_messages` counts; a question stays with its answer",
    )
    first_token_seconds: float | None = Field(None, gt=0, description="As `INTURN_FIRST_TOKEN_SECONDS`")
    idle_seconds: float | None = Field(None, gt=0, description="As `INTURN_IDLE_SECONDS`")
    total_seconds: float | None = Field(None, gt=0, description="As `INTURN_TOTAL_SECONDS`")
    lane: Lane = Field(
        Lane.INTERACTIVE,
        strict=False,
        description="The lane of its turns where the caller names none: `interactive`, or `batch` for what nobody waits for",
    )

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.chain and self.system:
            raise ValueError("has a system prompt and a chain; a chain of your own brings its own prompt")
        for name in _placeholders(self.system):
            if name not in self.variables:
                raise ValueError(
                    f"the system prompt has {{{name}}}, which is no declared variable; a brace is written {{{{"
                )
        return self

    def to_assistant(self, name: str) -> Assistant:
        variables = {variable: Variable(**dict(table)) for variable, table in self.variables.items()}
        return Assistant(name=name, **{**dict(self), "variables": variables})


def _placeholders(system: str) -> list[str]:
    """The names in braces. Raises ValueError for anything but a name: an attribute or an index reads what it should not."""
    try:
        parsed = [(name, form, conversion) for _, name, form, conversion in string.Formatter().parse(system)]
    except ValueError as error:
        raise ValueError(f"the system prompt is no template: {error}; a brace is written {{{{") from None
    names = []
    for name, form, conversion in parsed:
        if name is None:
            continue
        if form or conversion or not IDENTIFIER.fullmatch(name):
            raise ValueError(f"the system prompt has {{{name}}}; in braces stands a variable's name alone")
        names.append(name)
    return names
