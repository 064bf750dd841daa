"""Count wordings that `make check` keeps out of the prose, and fail above the limits.

The prose is what a reader meets as English: Python docstrings, comments and messages, Lua comments, JavaScript comments
and strings, and Markdown outside of code. `python -m tools.prose [--list] [PATH…]` prints the counts, and with
`--list` every place.
"""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools import ROOT

SUFFIXES = frozenset({".py", ".lua", ".js", ".md", ".html", ".toml", ".yml"})
MARK = re.compile(r"^[\s|>#*-]+")
SKIPPED = ("/vendor/", "requirements", "docs/explanation/plots/", "/baseline/", "uv.lock")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A wording, and how often it may occur per 1,000 words."""

    name: str
    expression: re.Pattern[str]
    limit: float


def _pattern(name: str, expression: str, limit: float = 0.0) -> Pattern:
    return Pattern(name, re.compile(expression), limit)


SENTENCE = r"(?:^|(?<=[.:;!?] ))"
# The limits are what well-edited projects of this field have: httpx, dramatiq, docket, procrastinate and stamina.
PATTERNS = (
    _pattern("said, says", r"\b(?:[Ss]aid|[Ss]ays?|[Ss]aying)\b", 0.5),
    _pattern("told, tells", r"\b(?:[Tt]old|[Tt]ells?)\b", 0.25),
    _pattern("somebody, nobody", r"\b(?:[Ss]ome|[Nn]o|[Ee]very|[Aa]ny)(?:body|one)\b(?! of)|\b[Ww]ho(?:m)?ever\b", 0.1),
    _pattern("who as a subject", rf"{SENTENCE}Who\b|\b(?:for|of|to|by|from|with|and|but|than|is|are) whom?\b", 0.02),
    _pattern("sentence with Of", rf"{SENTENCE}Of\b(?! course)"),
    _pattern("sentence with What, Where", rf"{SENTENCE}(?:What|Where)\b(?! is\b| are\b|[^.]*\?)", 0.25),
    _pattern("so many", r"\b[Ss]o (?:many|long|much|often)\b(?! (?:that|as)\b)"),
    _pattern("is no", r"(?<![Tt]here )\b(?:is|are) (?:no|none)\b(?! (?:longer|more)\b)", 0.3),
    _pattern("look", r"\b[Ll]ook(?:s|ed)?\b(?! (?:up|like|for)\b)", 0.3),
    _pattern("of its own", r"\bof (?:its|one's|their|somebody's|our|your) own\b", 0.1),
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One run of prose, and the line on which it begins."""

    path: Path
    line: int
    text: str


def passages(path: Path) -> Iterator[Passage]:
    text = path.read_text(encoding="utf-8")
    readers = {".py": _python, ".lua": _lua, ".js": _javascript}
    reader = readers.get(path.suffix, _comments if path.suffix in {".toml", ".yml"} else _markup)
    for line, found in reader(text):
        yield Passage(path, line, re.sub(r"`[^`\n]*`", "`code`", found))


def _python(text: str) -> Iterator[tuple[int, str]]:
    comment, began, ended = "", 0, 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type != tokenize.COMMENT:
            continue
        if comment and token.start[0] != ended + 1:
            yield began, comment
            comment = ""
        began = began if comment else token.start[0]
        ended = token.start[0]
        comment = f"{comment} {token.string.lstrip('# ')}".strip()
    if comment:
        yield began, comment
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            yield node.lineno, re.sub(r"\s+", " ", node.value)


def _joined(lines: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Join the comment lines that follow each other."""
    text, began, ended = "", 0, -1
    for number, line in lines:
        if text and number != ended + 1:
            yield began, text
            text = ""
        began = began if text else number
        ended = number
        text = f"{text} {line}".strip()
    if text:
        yield began, text


def _lua(text: str) -> Iterator[tuple[int, str]]:
    found = ((n, line.partition("--")[2]) for n, line in enumerate(text.splitlines(), 1) if "--" in line)
    yield from _joined((n, comment.strip()) for n, comment in found)


def _comments(text: str) -> Iterator[tuple[int, str]]:
    found = ((n, line.partition("#")[2]) for n, line in enumerate(text.splitlines(), 1) if "#" in line)
    yield from _joined((n, comment.strip()) for n, comment in found)


def _javascript(text: str) -> Iterator[tuple[int, str]]:
    found = ((n, re.search(r"(?:^|\s)(?://|/?\*+)\s?(.*)", line)) for n, line in enumerate(text.splitlines(), 1))
    yield from _joined((n, match[1].removesuffix("*/").strip()) for n, match in found if match)
    for number, line in enumerate(text.splitlines(), 1):
        for string in re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|>([^<>{}$]+)<", line):
            if " " in "".join(string):
                yield number, "".join(string)


def _markup(text: str) -> Iterator[tuple[int, str]]:
    """Yield the paragraphs of Markdown or HTML, without code."""
    is_code, paragraph, began = False, "", 0
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.lstrip().startswith("```"):
            is_code = not is_code
        begins = bool(re.match(r"\s*(?:[-*|>#]|\d+\.)\s?", line))
        if paragraph and (is_code or begins or not line.strip()):
            yield began, paragraph
            paragraph = ""
        if not is_code and line.strip() and not line.lstrip().startswith("```"):
            began = began if paragraph else number
            paragraph = f"{paragraph} {MARK.sub('', line)}".strip()


def product_files() -> list[Path]:
    listing = ["git", "ls-files", "-co", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)  # fixed words
    names = [name for name in listed.stdout.splitlines() if not any(part in f"/{name}" for part in SKIPPED)]
    found = [ROOT / name for name in names if Path(name).suffix in SUFFIXES and name != "tools/prose.py"]
    return [path for path in found if path.is_file()]


def main(arguments: list[str]) -> int:
    shows_places = "--list" in arguments
    named = [Path(argument).resolve() for argument in arguments if not argument.startswith("--")]
    files = [path for path in product_files() if not named or any(path.is_relative_to(one) for one in named)]
    words, counts = 0, Counter[str]()
    for passage in (found for path in files for found in passages(path)):
        words += len(re.findall(r"[A-Za-z']+", passage.text))
        for pattern in PATTERNS:
            for match in pattern.expression.finditer(passage.text):
                counts[pattern.name] += 1
                if shows_places:
                    where = passage.path.relative_to(ROOT)
                    start = max(0, match.start() - 40)
                    print(f"{where}:{passage.line}: {pattern.name}: …{passage.text[start : match.end() + 40]}…")
    return _report(words, counts)


def _report(words: int, counts: Counter[str]) -> int:
    print(f"{words} words of prose")
    is_over = False
    for pattern in PATTERNS:
        share = counts[pattern.name] * 1000 / max(words, 1)
        is_over |= share > pattern.limit
        mark = "over" if share > pattern.limit else "ok"
        count = f"{counts[pattern.name]:5}  {share:5.2f} per 1,000 words, limit {pattern.limit}"
        print(f"  {mark:4}  {pattern.name:28} {count}")
    return int(is_over)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
