"""Assistants as data: the named chains that a turn can select.

A turn runs with the version of its assistant under which it was accepted. `accept` stores the definition under its
digest for as long as a turn needs it.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import urlsplit

from turns.domain.content.parts import Accepts, Part
from turns.domain.errors import MAX_FIELD_ERRORS, FieldError, InvalidRequest
from turns.domain.model_parameters import MaxTokensName, ModelParameters
from turns.domain.worker_kind import WorkerKind

MAX_CACHED_DEFINITIONS = 256


class Lane(StrEnum):
    """Priority of a turn."""

    INTERACTIVE = "interactive"  # a person waits for the answer
    BATCH = "batch"  # part of a bulk job; runs with limited concurrency


class HistoryMode(StrEnum):
    """Which messages of a turn enter the history."""

    PAIR = "pair"  # the question and the final answer
    FULL = "full"  # also the tool calls and their results between them, if the chain returns them


class RunsIn(StrEnum):
    """The place where the chain of an assistant runs."""

    LOOP = "loop"  # on gevent's event loop, together with all other turns of the worker
    THREAD = "thread"  # in a thread of a chain worker, which gevent has not patched
    PROCESS = "process"  # in a process that a chain worker starts for each turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A text parameter of at most `max_length` characters; required if it has no default."""

    default: str | None = None
    max_length: int | None = None
    description: str = ""

    @property
    def is_required(self) -> bool:
        return self.default is None


@dataclass(frozen=True, kw_only=True)
class Assistant(ModelParameters):
    """A system prompt with declared variables, or a custom chain; None means the value from the settings.

    `finish_reasons`: the provider's own words for the end of a complete answer. `reasoning`: callers see the model's
    reasoning. `tool_details`: callers see the arguments and results of tools.
    """

    name: str
    description: str = ""
    system: str = ""
    chain: str = ""
    runs_in: RunsIn | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    model: str | None = None
    fallback_model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    finish_reasons: Sequence[str] = ()
    reasoning: bool = False
    tool_details: bool = False
    history: HistoryMode = HistoryMode.PAIR
    history_messages: int | None = None
    history_tokens: int | None = None
    first_token_seconds: float | None = None
    idle_seconds: float | None = None
    total_seconds: float | None = None
    lane: Lane = Lane.INTERACTIVE
    concurrency: int | None = None
    accepts: Sequence[str] = (Accepts.TEXT,)

    def check_variables(self, values: Mapping[str, str]) -> None:
        """Raise `InvalidRequest` for the variables that are unknown, missing or too long."""
        if errors := list(islice(self._variable_errors(values), MAX_FIELD_ERRORS)):
            raise InvalidRequest(errors[0].field, errors[0].rule, *errors[1:])

    def check_parts(self, parts: Sequence[Part]) -> None:
        """Raise `InvalidRequest` for the first part that this assistant does not take."""
        for n, part in enumerate(parts):
            if part.kind not in self.accepts:
                taken = ", ".join(self.accepts)
                raise InvalidRequest(f"input.{n}.type", f"assistant {self.name!r} takes {taken}, but not {part.kind}")

    def with_defaults(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return the values, and the default of each variable that is not among them."""
        defaults = {name: v.default for name, v in self.variables.items() if v.default is not None}
        return {**defaults, **values}

    def _variable_errors(self, values: Mapping[str, str]) -> Iterator[FieldError]:
        for name, value in values.items():
            declared = self.variables.get(name)
            if declared is None:
                hint = f"; it has: {', '.join(self.variables)}" if self.variables else ", nor any other"
                yield FieldError(f"variables.{name}", f"assistant {self.name!r} declares no such variable{hint}")
            elif declared.max_length is not None and len(value) > declared.max_length:
                yield FieldError(f"variables.{name}", f"must be at most {declared.max_length} characters")
        for name, declared in self.variables.items():
            if declared.is_required and name not in values:
                yield FieldError(f"variables.{name}", f"is required by assistant {self.name!r}")

    @property
    def worker_kind(self) -> WorkerKind:
        """Kind of worker that runs the turns: by default, custom chains run apart from the event loop."""
        runs_apart = bool(self.chain) and self.runs_in is not RunsIn.LOOP
        return WorkerKind.CHAINS if runs_apart else WorkerKind.LOOP

    @property
    def resources(self) -> tuple[str | None, ...]:
        """Resources of a worker that the assistant uses: code, a host, and the variable with the key for it."""
        return self.chain, self.base_url, self.api_key_env

    @property
    def has_own_provider(self) -> bool:
        return self.base_url is not None or self.api_key_env is not None

    @cached_property
    def record_fields(self) -> dict[str, str]:
        """Return the fields of a turn's record that the scripts read, since they do not parse the definition.

        `provider` distinguishes models that have the same name at two providers; operators pause `provider_host`.
        """
        record = {}
        if self.worker_kind is WorkerKind.CHAINS:
            record["queue"] = self.worker_kind.value
        if self.history_messages is not None:
            record["window"] = str(self.history_messages)
        if self.concurrency is not None:
            record["concurrency"] = str(self.concurrency)
        if self.model is not None:
            record["own_model"] = self.model
        if self.fallback is not None:
            record["own_fallback"] = self.fallback
        if self.has_own_provider:
            record["provider"] = _digest(f"{self.base_url}\n{self.api_key_env}")[:8]
        if self.base_url is not None:
            record["provider_host"] = urlsplit(self.base_url).netloc.rpartition("@")[2].lower()
        return record

    @property
    def fallback(self) -> str | None:
        """Fallback model: "" for none, None for the one in the settings.

        An assistant with a model or provider does not inherit the fallback model of the settings, which belongs to
        the provider of the settings.
        """
        if self.fallback_model is None and (self.model is not None or self.has_own_provider):
            return ""
        return self.fallback_model

    @cached_property
    def definition(self) -> str:
        """This version as JSON; fields that have their default value are omitted."""
        unset = Assistant(name=self.name)
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        changed = {name: value for name, value in values.items() if value != getattr(unset, name)}
        changed |= {"name": self.name, "variables": {name: asdict(v) for name, v in self.variables.items()}}
        return json.dumps(changed, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """Hash of the definition: equal for two versions exactly if their definitions are equal."""
        return _digest(self.definition)

    @classmethod
    @lru_cache(maxsize=MAX_CACHED_DEFINITIONS)  # a worker reads the same definition for many turns
    def from_definition(cls, definition: str) -> "Assistant":
        """Parse a definition; fields that a later release has added are ignored."""
        values: dict[str, Any] = json.loads(definition)
        values["variables"] = {name: _from_known_fields(Variable, v) for name, v in values["variables"].items()}
        values["history"] = HistoryMode(values.get("history", HistoryMode.PAIR))
        values["runs_in"] = RunsIn(values["runs_in"]) if "runs_in" in values else None
        values["lane"] = Lane(values.get("lane", Lane.INTERACTIVE))
        values["max_tokens_name"] = MaxTokensName(values.get("max_tokens_name", MaxTokensName.MAX_COMPLETION_TOKENS))
        values |= {name: tuple(values.get(name, ())) for name in ("stop", "finish_reasons")}
        values["accepts"] = tuple(values.get("accepts", (Accepts.TEXT,)))
        return _from_known_fields(Assistant, values)


Value = TypeVar("Value", Assistant, Variable)


def _from_known_fields(kind: type[Value], values: Mapping[str, Any]) -> Value:
    return kind(**{f.name: values[f.name] for f in fields(kind) if f.name in values})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


DEFAULT = Assistant(name="default", system="You are a helpful assistant.")
# LangChain's example for message histories, from which this project grew.
EXAMPLE = Assistant(
    name="example",
    description="LangChain's example for message histories",
    system="You're an assistant who's good at {ability}. Respond in 20 words or fewer",
    variables={"ability": Variable(max_length=100, description="Subject, such as math")},
)
