from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from turns.store.partitioned.pages import Position, merge_pages, to_cursor, to_position

ITEMS = st.tuples(st.integers(0, 5), st.text("ab./", min_size=1, max_size=3))
PARTITIONS = st.lists(st.sets(ITEMS, max_size=12), min_size=1, max_size=5)


def page_of(partition: Sequence[Position], after: str | None, limit: int) -> tuple[list[Position], str | None]:
    """Return a page of one partition as its store does."""
    rest = [item for item in partition if after is None or item < to_position(after)]
    page = rest[:limit]
    return page, to_cursor(page[-1]) if len(rest) > limit else None


def pages_of(partitions: Sequence[set[Position]], limit: int) -> list[tuple[Position, ...]]:
    after, pages = None, []
    while True:
        found = [page_of(sorted(partition, reverse=True), after, limit) for partition in partitions]
        page, after = merge_pages(found, position_of=lambda item: item, limit=limit)
        pages.append(page)
        if after is None:
            return pages


@given(PARTITIONS, st.integers(1, 5))
def test_merged_pages_have_each_item_once_in_order(partitions: list[set[Position]], limit: int) -> None:
    unique = [{(score, f"{name}{n}") for score, name in partition} for n, partition in enumerate(partitions)]
    pages = pages_of(unique, limit)
    assert [item for page in pages for item in page] == sorted(set().union(*unique), reverse=True)
    assert all(len(page) == limit for page in pages[:-1])


def test_a_page_ends_where_a_partition_was_not_read_further() -> None:
    full = ([(9, "a"), (5, "b")], "5.b")
    other = ([(7, "c"), (3, "d")], None)
    assert merge_pages([full, other], position_of=lambda item: item, limit=9) == (((9, "a"), (7, "c"), (5, "b")), "5.b")


def test_a_cursor_with_dots_is_reversible() -> None:
    assert to_position(to_cursor((1_764_336_000_000, "acme/-/s.1"))) == (1_764_336_000_000, "acme/-/s.1")
