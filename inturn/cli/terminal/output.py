"""What the command writes: data on stdout, talk on stderr, and on neither what a terminal would obey."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

# A model's answer may hold escape sequences, and a terminal would obey them.
OBEYED = {code: "\N{REPLACEMENT CHARACTER}" for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    return text.replace("\r\n", "\n").translate(OBEYED)


class ReaderLeft(Exception):
    """Whoever read stdout has seen enough, as `| head` does."""


class Terminal:
    def __init__(self) -> None:
        self.shows_data = sys.stdout.isatty()
        self.shows_talk = sys.stderr.isatty()
        self.has_keyboard = sys.stdin.isatty()

    @property
    def is_interactive(self) -> bool:
        """Somebody types here, and sees both streams."""
        return self.shows_data and self.shows_talk and self.has_keyboard

    def write(self, text: str) -> None:
        """Data, as it comes. It is seen at once."""
        self._put(printable(text) if self.shows_data else text)

    def line(self, text: str) -> None:
        """A line of data."""
        self.write(f"{text}\n")

    def json(self, value: Any) -> None:
        """A line of JSON."""
        as_ascii = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
        self._put(json.dumps(value, ensure_ascii=as_ascii) + "\n")

    def say(self, text: str) -> None:
        """Talk, which is for somebody who is there: a script hears nothing."""
        if self.shows_talk:
            click.secho(printable(text), err=True, dim=has_colour() or None)

    def complain(self, text: str) -> None:
        """What everybody must hear."""
        click.secho(printable(text), err=True, fg="red" if self.shows_talk and has_colour() else None)

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table where somebody looks; else a line for each row, with tabs between."""
        if not self.shows_data:
            for row in rows:
                self.line("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
            return
        from inturn.cli.terminal.tables import drawn

        console().print(drawn(columns, list(rows)))

    def _put(self, text: str) -> None:
        try:
            sys.stdout.write(text)
            sys.stdout.flush()
        except BrokenPipeError:
            raise ReaderLeft from None


def has_colour() -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def console(*, for_talk: bool = False) -> "Console":
    """rich, which knows `NO_COLOR` itself."""
    from rich.console import Console

    return Console(stderr=for_talk, highlight=False)
