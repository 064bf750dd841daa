"""Assistants: the named chains that a turn can ask for, as data."""

from collections.abc import Mapping
from dataclasses import dataclass

from turns.errors import AssistantNotFound, InvalidRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Assistant:
    """A system prompt with declared variables. `variables` holds their defaults; None: the caller must give it."""

    name: str
    system: str
    variables: Mapping[str, str | None]

    def resolve(self, given: Mapping[str, str]) -> dict[str, str]:
        """Every declared variable with its value. Raises `InvalidRequest` for a missing or an unknown one."""
        for name in given:
            if name not in self.variables:
                declared = ", ".join(self.variables) or "none"
                raise InvalidRequest(
                    f"variables.{name}", f"assistant {self.name!r} declares no such variable; it has: {declared}"
                )
        resolved = {}
        for name, default in self.variables.items():
            value = given.get(name, default)
            if value is None:
                raise InvalidRequest(f"variables.{name}", f"is required by assistant {self.name!r}")
            resolved[name] = value
        return resolved


# The prompt of the LangChain example from which this project grew.
DEFAULT = Assistant(
    name="default",
    system="You're an assistant who's good at {ability}. Respond in 20 words or fewer",
    variables={"ability": None},
)

ASSISTANTS: Mapping[str, Assistant] = {DEFAULT.name: DEFAULT}


def assistant(name: str) -> Assistant:
    """Raises `AssistantNotFound`."""
    try:
        return ASSISTANTS[name]
    except KeyError:
        raise AssistantNotFound from None
