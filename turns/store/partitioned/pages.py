"""Merge the pages that the partitions return for one list."""

from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")
Position = tuple[float, str]  # the score of an item in the list, and its name; lists are sorted by both, descending


def merge_pages(
    pages: Sequence[tuple[Sequence[Item], str | None]], *, position_of: Callable[[Item], Position], limit: int
) -> tuple[tuple[Item, ...], str | None]:
    """Return the page of the whole list and its cursor, None on the last page.

    Each page is its items and its cursor. One that is not the last of its partition says nothing about what follows its
    cursor, so the merged page ends at the newest of these cursors at the latest; it can be short, like its parts.
    """
    end = max((to_position(cursor) for _, cursor in pages if cursor), default=None)
    items = sorted((item for found, _ in pages for item in found), key=position_of, reverse=True)
    complete = [item for item in items if end is None or position_of(item) >= end]
    if len(complete) > limit:
        return tuple(complete[:limit]), to_cursor(position_of(complete[limit - 1]))
    return tuple(complete), to_cursor(end) if end else None


def to_position(cursor: str) -> Position:
    score, _, name = cursor.partition(".")
    return float(score), name


def to_cursor(position: Position) -> str:
    score, name = position
    return f"{score:.0f}.{name}"
