"""Assistants: the named chains that a turn can ask for, as data.

A turn runs with the version of its assistant that it was accepted under: acceptance keeps the definition in the store,
under its digest, for as long as a turn needs it.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any, TypeVar

from turns.domain.errors import InvalidRequest

MAX_CACHED_DEFINITIONS = 256


class Lane(StrEnum):
    """Who waits for a turn: somebody now, or nobody before the whole batch is done."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class Exchange(StrEnum):
    """What of a turn enters the history."""

    PAIR = "pair"  # the question and the final answer
    FULL = "full"  # also the tool calls and their results between them, where the chain gives them


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A text that the caller gives, at most `max_length` characters. Without a default it is required."""

    default: str | None = None
    max_length: int | None = None
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Assistant:
    """A system prompt with declared variables, or a chain of somebody's own. What is None is as the settings say."""

    name: str
    description: str = ""
    system: str = ""
    chain: str = ""
    variables: Mapping[str, Variable] = field(default_factory=dict)
    model: str | None = None
    fallback_model: str | None = None
    base_url: str | None = None
    api_key_env: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None
    history: Exchange = Exchange.PAIR
    history_messages: int | None = None
    history_tokens: int | None = None
    first_token_seconds: float | None = None
    idle_seconds: float | None = None
    total_seconds: float | None = None
    lane: Lane = Lane.INTERACTIVE

    def check(self, given: Mapping[str, str]) -> None:
        """Raises `InvalidRequest` for a variable that is unknown, missing or too long."""
        for name, value in given.items():
            declared = self.variables.get(name)
            if declared is None:
                known = ", ".join(self.variables) or "none"
                raise InvalidRequest(
                    f"variables.{name}", f"assistant {self.name!r} declares no such variable; it has: {known}"
                )
            if declared.max_length is not None and len(value) > declared.max_length:
                raise InvalidRequest(f"variables.{name}", f"must be at most {declared.max_length} characters")
        for name, declared in self.variables.items():
            if declared.default is None and name not in given:
                raise InvalidRequest(f"variables.{name}", f"is required by assistant {self.name!r}")

    def complete(self, given: Mapping[str, str]) -> dict[str, str]:
        """What was given, and the defaults of the rest."""
        defaults = {name: v.default for name, v in self.variables.items() if v.default is not None}
        return {**defaults, **given}

    @property
    def has_own_provider(self) -> bool:
        return self.base_url is not None or self.api_key_env is not None

    @cached_property
    def terms(self) -> dict[str, str]:
        """What a claim must know before any worker reads the definition, as fields of a turn's record.

        Whoever names a model or a provider has no fallback but the one that is named beside it: the settings' own
        belongs to their provider. `provider` tells models of one name at two providers apart.
        """
        terms = {}
        if self.history_messages is not None:
            terms["window"] = str(self.history_messages)
        if self.model is not None:
            terms["own_model"] = self.model
        if self.fallback is not None:
            terms["own_fallback"] = self.fallback
        if self.has_own_provider:
            terms["provider"] = _digest(f"{self.base_url}\n{self.api_key_env}")[:8]
        return terms

    @property
    def fallback(self) -> str | None:
        """Its fallback model; "" is none, None is the settings'."""
        if self.fallback_model is None and (self.model is not None or self.has_own_provider):
            return ""
        return self.fallback_model

    @cached_property
    def definition(self) -> str:
        """All that this version says, as JSON; what it leaves out is left out."""
        unset = Assistant(name=self.name)
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != getattr(unset, f.name)}
        said |= {"name": self.name, "variables": {name: asdict(v) for name, v in self.variables.items()}}
        return json.dumps(said, sort_keys=True)

    @cached_property
    def digest(self) -> str:
        """The same for two versions exactly if they say the same."""
        return _digest(self.definition)

    @classmethod
    @lru_cache(maxsize=MAX_CACHED_DEFINITIONS)  # a worker reads the same one for turn after turn
    def from_definition(cls, definition: str) -> "Assistant":
        """What a later release adds is passed over: its worker is better at it, but this one has the turn."""
        said: dict[str, Any] = json.loads(definition)
        said["variables"] = {name: _made(Variable, variable) for name, variable in said["variables"].items()}
        said["history"] = Exchange(said.get("history", Exchange.PAIR))
        said["lane"] = Lane(said.get("lane", Lane.INTERACTIVE))
        return _made(Assistant, said)


Made = TypeVar("Made", Assistant, Variable)


def _made(kind: type[Made], said: Mapping[str, Any]) -> Made:
    return kind(**{f.name: said[f.name] for f in fields(kind) if f.name in said})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# The prompt of the LangChain example from which this project grew.
DEFAULT = Assistant(
    name="default",
    system="You're an assistant who's good at {ability}. Respond in 20 words or fewer",
    variables={"ability": Variable()},
)
