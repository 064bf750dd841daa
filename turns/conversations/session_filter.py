"""Conditions on sessions, for lists of them."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from turns.domain.session import Session

WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Conditions that a session must meet, all of them; None and an empty value mean any.

    `metadata` are entries as `name:value`. `words` are beginnings of words of the title, in any order and case; a text
    without any word, such as an emoji, must be in the title as it is. `active_after` and `active_before` are ms since
    the epoch; a session that was active at the first one matches, at the second one not.
    """

    archived: bool | None = None
    metadata: Sequence[str] = ()
    words: str = ""
    active_after: int | None = None
    active_before: int | None = None

    def matches(self, session: Session) -> bool:
        """Return whether the session meets all conditions but those on the time."""
        if self.archived is not None and session.is_archived is not self.archived:
            return False
        if self.metadata and not {f"{name}:{value}" for name, value in session.metadata.items()} >= set(self.metadata):
            return False
        return not self.words or _has_words(_folded(session.title or ""), _folded(self.words).strip())

    def is_too_old(self, session: Session) -> bool:
        """Return whether this session, and each one that was active before it, is out of the period."""
        return self.active_after is not None and (session.active_at or 0) < self.active_after


def _has_words(title: str, wanted: str) -> bool:
    parts, words = WORD.findall(wanted), WORD.findall(title)
    if not parts:
        return wanted in title
    return all(any(word.startswith(part) for word in words) for part in parts)


def _folded(text: str) -> str:
    """Return the text without differences of case, nor of the ways in which Unicode writes one character."""
    return unicodedata.normalize("NFC", text).casefold()
