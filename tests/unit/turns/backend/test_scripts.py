"""The scripts say of themselves what is true: headers drift, so they are compared with the code below them."""

import re

import pytest

from tools import ROOT
from turns.backend.keys import CATALOGUE
from turns.backend.script_loader import SHARED, VERBS, render, render_constants
from turns.backend.script_replies import Reply
from turns.backend.scripts import Scripts
from turns.config.settings import Settings

LUA = ROOT / "turns" / "backend" / "lua"
WORD = re.compile(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b")
LONGEST = 100


def header(verb: str) -> str:
    lines = (LUA / f"{verb}.lua").read_text(encoding="utf-8").splitlines()[1:]
    return "\n".join(line for line in lines[: lines.index("")])


def body(verb: str) -> str:
    return (LUA / f"{verb}.lua").read_text(encoding="utf-8").partition("\n\n")[2]


def test_each_verb_has_one_file_and_one_method() -> None:
    assert {path.stem for path in LUA.glob("*.lua")} == {*VERBS, *SHARED}
    assert all(callable(getattr(Scripts, verb)) for verb in VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_header_names_the_verb_and_its_replies(verb: str) -> None:
    assert header(verb).startswith(f"-- {verb}: ")
    called = [body(verb), *(body(name) for name in SHARED if f"{name}_refusal(" in body(verb))]
    quoted = set(re.findall(r"'([A-Z_]+)'", "\n".join(called)))
    replies = {word for word in quoted if word in Reply.__members__}
    described = {word for word in WORD.findall(header(verb).partition("Reply")[2]) if word in Reply.__members__}
    assert replies == described


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in {"renew", "emit"}])  # which take lists
def test_the_header_counts_the_arguments(verb: str) -> None:
    numbered = [int(n) for n in re.findall(r"^--\s+(?:ARGV)?\s+(\d+)", header(verb), re.MULTILINE)]
    unpacked = re.search(r"unpack\(ARGV, 1, (\d+)\)", body(verb))
    indexed = [int(n) for n in re.findall(r"ARGV\[(\d+)\]", body(verb))]
    last = max([int(unpacked[1])] if unpacked else indexed)
    open_end = re.search(r"unpack\(ARGV, (\d+)\)|= (\d+), #ARGV", body(verb))
    assert numbered == list(range(1, (int(open_end[1] or open_end[2]) if open_end else last) + 1))


@pytest.mark.parametrize("verb", [*VERBS, *SHARED])
def test_a_script_is_short_and_spells_no_key(verb: str) -> None:
    source = (LUA / f"{verb}.lua").read_text(encoding="utf-8")
    assert len(source.splitlines()) <= LONGEST
    for key in CATALOGUE:
        assert key.name not in source


def test_the_memory_flags_are_right() -> None:
    """What comes from outside is refused when memory is full; an answer that is paid for is not."""
    shebangs = {verb: render(verb, render_constants(Settings())).partition("\n")[0] for verb in VERBS}
    assert shebangs.pop("accept") == shebangs.pop("import_messages") == "#!lua"
    for verb in ("get_turn", "list_turns", "get_session", "list_sessions"):
        assert shebangs.pop(verb) == "#!lua flags=no-writes"
    assert set(shebangs.values()) == {"#!lua flags=allow-oom"}


def test_every_process_renders_the_same_text() -> None:
    assert render_constants(Settings()) == render_constants(Settings())
