"""The code blocks of the documentation, and the commands in them."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT

BLOCK = re.compile(r"^```(?P<language>\w*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = {"console", "bash"}


@dataclass(frozen=True, slots=True)
class Snippet:
    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def script(self) -> str:
        """Return what a reader copies into a shell: the lines after each `$`, without the output."""
        if self.language != "console":
            return self.text
        # A command goes on with the lines that are indented, and ends at its output.
        return "\n".join(re.findall(r"^\$ (.*(?:\n {2,}.*)*)", self.text, re.MULTILINE))


def read_snippets(page: Path) -> list[Snippet]:
    """Return the code blocks of a page in their order."""
    text = page.read_text(encoding="utf-8")
    return [
        Snippet(page, text.count("\n", 0, block.start()) + 1, block["language"], block["text"])
        for block in BLOCK.finditer(text)
    ]


def split_commands(script: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of a shell script, without its redirections."""
    code = re.sub(r"(?:^|\s)# .*$", "", script.replace("\\\n", " "), flags=re.MULTILINE)
    lexer = shlex.shlex(code, posix=True, punctuation_chars="|&;()<>\n")
    lexer.commenters, lexer.whitespace, lexer.whitespace_split = "", " \t", True
    yield from _split(list(lexer))


def _split(words: list[str]) -> Iterator[list[str]]:
    command: list[str] = []
    skipped = False
    for word in [*words, ";"]:
        if word == "$" or set(word) <= set("|&;()\n"):
            if command:
                yield command
            command = []
        elif set(word) <= set("<>"):
            skipped = True
        elif skipped:
            skipped = False
        elif command or not re.fullmatch(r"\w+=\$?|\w+=[^()]*", word):
            command.append(word)
