"""The parts of the service that an operator can pause."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from turns.domain.assistant import Lane
from turns.domain.errors import InvalidRequest
from turns.domain.ids import DEFAULT_TENANT, NAME_RULE, is_name

MAX_MODEL_CHARACTERS = 255
DEFAULT_PROVIDER = "default"  # the one of the settings
HOST = re.compile(r"[a-z0-9._:\[\]-]{1,255}")


class PauseKind(StrEnum):
    """A kind of part. Running turns continue in any case."""

    INTAKE = "intake"  # new turns are refused
    WORKERS = "workers"  # no turn starts
    TENANT = "tenant"
    ASSISTANT = "assistant"
    LANE = "lane"
    PROVIDER = "provider"  # the host of a base URL, with its port, or `default`
    MODEL = "model"

    @property
    def is_named(self) -> bool:
        """Whether there are several parts of this kind."""
        return self not in {PauseKind.INTAKE, PauseKind.WORKERS}


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePart:
    """A part of the service; its text is the name that `find_pause.lua` composes."""

    kind: PauseKind
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}" if self.kind.is_named else self.kind

    @property
    def label(self) -> str:
        """The part in words, such as `the tenant acme`."""
        return f"the {self.kind} {self.name}" if self.kind.is_named else f"the {self.kind}"

    @classmethod
    def parse(cls, kind: str, name: str = "") -> Self:
        """Return the part. Raises `InvalidRequest`."""
        if kind not in set(PauseKind):
            raise InvalidRequest("kind", f"must be one of {', '.join(PauseKind)}")
        part = cls(kind=PauseKind(kind), name=name)
        if rule := _broken_rule(part):
            raise InvalidRequest("name", rule)
        return part

    @classmethod
    def from_text(cls, text: str) -> Self | None:
        """Return the part with this text, or None if it is not that of a part."""
        kind, _, name = text.partition("/")
        if kind not in set(PauseKind) or bool(name) != PauseKind(kind).is_named:
            return None
        return cls(kind=PauseKind(kind), name=name)


INTAKE = ServicePart(kind=PauseKind.INTAKE)
WORKERS = ServicePart(kind=PauseKind.WORKERS)


def _broken_rule(part: ServicePart) -> str | None:
    """Return the rule that the name breaks, or None."""
    kind, name = part.kind, part.name
    if not kind.is_named:
        return f"must be empty, because {kind} has no parts" if name else None
    if kind is PauseKind.LANE:
        return None if name in set(Lane) else f"must be one of {', '.join(Lane)}"
    if kind is PauseKind.PROVIDER:
        rule = f"must be `{DEFAULT_PROVIDER}` or the host of a base URL in lower case, with its port if it has one"
        return None if HOST.fullmatch(name) else rule
    if kind is PauseKind.MODEL:
        is_model = 1 <= len(name) <= MAX_MODEL_CHARACTERS and name.isprintable()
        return None if is_model else f"must be 1 to {MAX_MODEL_CHARACTERS} printable characters"
    return None if is_name(name) or (kind is PauseKind.TENANT and name == DEFAULT_TENANT) else NAME_RULE
