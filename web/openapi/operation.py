"""One operation of the HTTP contract: what it takes, answers and refuses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from pydantic import BaseModel

from turns.domain.errors import (
    IdempotencyKeyReused,
    IntakePaused,
    Overloaded,
    RateLimited,
    Refused,
    SessionBacklogFull,
    StoreUnavailable,
    TenantBacklogFull,
    TokensSpent,
)
from web.schemas import requests
from web.security.auth import GUARDED

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`model`: None for an empty body. `headers`: names of those that this answer can carry, beyond what all do."""

    description: str
    model: type[BaseModel] | None = None
    kind: str = JSON
    headers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """`problems` are HTTP's own refusals, by status; `refusals` are those of the domain."""

    id: str
    method: str
    path: str
    summary: str
    answers: Mapping[int, Answer]
    query: type[BaseModel] = requests.NoQuery
    body: type[BaseModel] | None = None
    headers: tuple[str, ...] = ()
    refusals: tuple[type[Refused | StoreUnavailable], ...] = ()
    problems: tuple[int, ...] = field(default=(406,))

    @property
    def is_guarded(self) -> bool:
        """Whether a key is asked for, where there are keys."""
        return self.path.startswith(GUARDED)


QUOTA = (TenantBacklogFull, RateLimited, TokensSpent)
AGAIN = (IdempotencyKeyReused, SessionBacklogFull, *QUOTA, Overloaded, IntakePaused)


def answers_with(description: str, model: type[BaseModel]) -> Mapping[int, Answer]:
    return MappingProxyType({200: Answer(description=description, model=model)})
