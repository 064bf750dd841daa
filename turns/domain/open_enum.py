"""Values that a newer release may have written, beside which an older process still has to read."""

from enum import StrEnum
from typing import TypeVar

Member = TypeVar("Member", bound=StrEnum)


def member_or_text(kind: type[Member], text: str) -> Member | str:
    """Return the member with this value, or the text itself if this release does not know it."""
    try:
        return kind(text)
    except ValueError:
        return text
