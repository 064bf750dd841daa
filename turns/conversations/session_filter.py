"""Conditions on sessions, for lists of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from turns.domain.turn import Session

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Conditions that a session must meet, all of them; None and an empty value mean any.

    `words` are beginnings of words of the title, in any order and case. `active_after` and `active_before` are ms since
    the epoch; a session that was active at the first one matches, at the second one not.
    """

    archived: bool | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    words: str = ""
    active_after: int | None = None
    active_before: int | None = None

    def matches(self, session: Session) -> bool:
        """Return whether the session meets all conditions but those on the time."""
        if self.archived is not None and session.is_archived is not self.archived:
            return False
        if any(session.metadata.get(name) != value for name, value in self.metadata.items()):
            return False
        words = WORD.findall((session.title or "").casefold())
        return all(any(word.startswith(part) for word in words) for part in WORD.findall(self.words.casefold()))

    def is_too_old(self, session: Session) -> bool:
        """Return whether this session, and each one that was active before it, is out of the period."""
        return self.active_after is not None and (session.active_at or 0) < self.active_after
