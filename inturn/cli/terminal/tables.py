"""Tables as a terminal shows them."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from inturn.cli.terminal.output import printable


def drawn(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """Only the last column is cut where there is no room: the others are copied from here, and typed."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    *whole, last = columns
    for place, name in enumerate(whole):
        table.add_column(name, no_wrap=True, min_width=max([len(name), *(len(row[place]) for row in rows)]))
    table.add_column(last, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(printable(cell).replace("\n", " ")) for cell in row))
    return table
