"""Conditions on turns, for searches and for acts on many turns."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol

from turns.domain.error_codes import Code
from turns.domain.state import Status


class Filterable(Protocol):
    """A turn, or the part of its record that a filter reads."""

    @property
    def tenant(self) -> str: ...
    @property
    def user_id(self) -> str | None: ...
    @property
    def session_id(self) -> str: ...
    @property
    def assistant(self) -> str: ...
    @property
    def model(self) -> str | None: ...
    @property
    def status(self) -> Status: ...
    @property
    def error_code(self) -> Code | str | None: ...
    @property
    def accepted_at(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFilter:
    """Conditions that a turn must meet, all of them; None means any value.

    `accepted_after` and `accepted_before` are ms since the epoch; a turn accepted at the first one matches, at the
    second one not, so that adjacent periods share no turn. `code` is the error code of a failed turn.
    """

    tenant: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    assistant: str | None = None
    model: str | None = None
    statuses: AbstractSet[Status] | None = None
    code: Code | str | None = None
    accepted_after: int | None = None
    accepted_before: int | None = None

    def matches(self, turn: Filterable) -> bool:
        """Return whether the turn meets all conditions."""
        wanted = (self.tenant, self.user_id, self.session_id, self.assistant, self.model, self.code)
        values = (turn.tenant, turn.user_id, turn.session_id, turn.assistant, turn.model, turn.error_code)
        if any(want is not None and want != value for want, value in zip(wanted, values, strict=True)):
            return False
        return (self.statuses is None or turn.status in self.statuses) and self._is_in_period(turn.accepted_at)

    def _is_in_period(self, accepted_at: int) -> bool:
        is_too_early = self.accepted_after is not None and accepted_at < self.accepted_after
        is_too_late = self.accepted_before is not None and accepted_at >= self.accepted_before
        return not is_too_early and not is_too_late
