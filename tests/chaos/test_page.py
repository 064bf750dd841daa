"""One row of `docs/chaos.md` can be run anew; the others stay."""

from tests.chaos.__main__ import PAGE, with_row

OTHERS = """\
| Faults | Times |
|---|---|
| kills | 50 |
| store killed | 10 |
| *thirty lines:* 10 kills | 10 |
"""


def test_a_row_takes_the_place_of_the_one_of_its_name() -> None:
    assert with_row(OTHERS, "| store killed | 11 |") == OTHERS.replace("killed | 10", "killed | 11")


def test_a_new_row_stands_before_the_thirty_lines() -> None:
    assert with_row(OTHERS, "| new | 1 |") == OTHERS.replace("| *thirty", "| new | 1 |\n| *thirty")


def test_a_row_that_is_as_it_was_changes_nothing() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in [line for line in page.splitlines() if line.startswith("| ") and "kill" in line]:
        assert with_row(page, row) == page
