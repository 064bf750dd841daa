"""On which line of a TOML file a key stands. `tomllib` tells that of no key, and an error without it is a riddle."""

import re
import tomllib
from collections.abc import Mapping
from typing import Any

Path = tuple[str, ...]

NAME = r"""(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')"""
DOTTED = rf"{NAME}(?:\s*\.\s*{NAME})*"
HEADER = re.compile(rf"\s*(\[\[?\s*{DOTTED}\s*\]?\])")
KEY = re.compile(rf"\s*({DOTTED})\s*=(.*)")
MULTILINE = re.compile(r'"""|' + "'''")


def find_lines(text: str) -> dict[Path, int]:
    """The line, from 1, of each table's header and of each key at the start of a line, in text that is valid TOML."""
    found: dict[Path, int] = {}
    table: Path = ()
    quotes = ""  # of the text of several lines that is open
    for number, line in enumerate(text.splitlines(), 1):
        if quotes:
            quotes = "" if quotes in line else quotes
        elif header := HEADER.match(line):
            table = _path(header[1])
            found.setdefault(table, number)
        elif key := KEY.match(line):
            found.setdefault(table + _path(f"{key[1]} = 0"), number)
            opened = MULTILINE.findall(key[2])
            quotes = opened[-1] if len(opened) % 2 else ""
    return found


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Its own line, or that of what it stands in: a key of an inline table, or one that is missing. 1 if all fails."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


def _path(toml: str) -> Path:
    """`a."b c"` as TOML itself reads it."""
    path: list[str] = []
    value: Any = tomllib.loads(toml)
    while value:
        if isinstance(value, list):
            value = value[0]
            continue
        [(name, value)] = value.items()
        path.append(name)
    return tuple(path)
