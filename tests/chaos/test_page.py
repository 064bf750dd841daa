"""A new run can replace one row of `docs/explanation/chaos.md`."""

from tests.chaos.page import PAGE, table, with_row, with_table
from tests.chaos.surfaces.run import TABLE_HEAD

ROWS = """\
| Faults | Times |
|---|---|
| kills | 50 |
| store killed | 10 |
| *thirty lines:* 10 kills | 10 |
"""


def test_a_row_replaces_the_row_of_its_name() -> None:
    assert with_row(ROWS, "| store killed | 11 |") == ROWS.replace("killed | 10", "killed | 11")


def test_a_new_row_precedes_the_row_of_plain_celery() -> None:
    assert with_row(ROWS, "| new | 1 |") == ROWS.replace("| *thirty", "| new | 1 |\n| *thirty")


def test_an_unchanged_row_changes_nothing() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for row in [line for line in page.splitlines() if line.startswith("| ") and "kill" in line]:
        assert with_row(page, row) == page


def test_a_table_gets_other_rows() -> None:
    page = "before\n\n| A | B |\n|---|---|\n| 1 | 2 |\n\nafter\n"
    assert with_table(page, "| A | B |", ["| 3 | 4 |"]) == page.replace("| 1 | 2 |", "| 3 | 4 |")


def test_an_unchanged_table_changes_nothing() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = table(page, TABLE_HEAD).splitlines()[2:]
    assert rows
    assert with_table(page, TABLE_HEAD, rows) == page
