"""Data on stdout, notices and errors on stderr, both without control characters that a terminal would execute."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

# A model's answer may contain escape sequences, which could change the terminal's title, colours or clipboard.
CONTROL_CHARACTERS = {
    code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"
}


def replace_control_characters(text: str) -> str:
    return text.replace("\r\n", "\n").translate(CONTROL_CHARACTERS)


class OutputClosed(Exception):
    """The reader of stdout has closed it, as `| head` does."""


class Terminal:
    """The standard streams of the command, each of which may or may not be a terminal."""

    def __init__(self) -> None:
        self.stdin_is_terminal = sys.stdin.isatty()
        self.stdout_is_terminal = sys.stdout.isatty()
        self.stderr_is_terminal = sys.stderr.isatty()

    @property
    def is_interactive(self) -> bool:
        return self.stdin_is_terminal and self.stdout_is_terminal and self.stderr_is_terminal

    def write(self, text: str) -> None:
        """Write text to stdout and flush it."""
        self._write(replace_control_characters(text) if self.stdout_is_terminal else text)

    def write_line(self, text: str) -> None:
        self.write(f"{text}\n")

    def write_json(self, value: Any) -> None:
        """Write one line of JSON to stdout."""
        is_utf8 = (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"
        self._write(json.dumps(value, ensure_ascii=not is_utf8) + "\n")

    def write_table(
        self, columns: Sequence[str], rows: Iterable[Sequence[str]], *, if_empty: str = "Nothing to list."
    ) -> None:
        """Write a table to a terminal, or tab-separated lines without a header to a pipe or file."""
        rows = list(rows)
        if not rows:
            self.print_notice(if_empty)
        elif self.stdout_is_terminal:
            console().print(build_table(columns, rows))
            return
        for row in rows:
            self.write_line("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))

    def print_notice(self, text: str) -> None:
        """Print text to stderr if it is a terminal; scripts do not get notices."""
        if self.stderr_is_terminal:
            click.secho(replace_control_characters(text), err=True, dim=has_colour() or None)

    def print_detail(self, text: str, *, ends_line: bool = True) -> None:
        """Print text to stderr for which the user has asked, for scripts too."""
        is_dim = self.stderr_is_terminal and has_colour()
        click.secho(replace_control_characters(text), err=True, dim=is_dim or None, nl=ends_line)

    def print_error(self, text: str) -> None:
        """Print text to stderr."""
        colour = "red" if self.stderr_is_terminal and has_colour() else None
        click.secho(replace_control_characters(text), err=True, fg=colour)

    def _write(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise OutputClosed from None


def has_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(*, stderr: bool = False) -> "Console":
    """Return a rich console, which respects `NO_COLOR` itself."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False)


def build_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> "Table":
    """Return a table in which only the last column is truncated, because users copy the ids in the others."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    *whole, last = columns
    for index, name in enumerate(whole):
        table.add_column(name, no_wrap=True, min_width=max([len(name), *(len(row[index]) for row in rows)]))
    table.add_column(last, no_wrap=True, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(replace_control_characters(cell).replace("\n", " ")) for cell in row))
    return table
