"""Tests that the headers of the Lua files match the code below them."""

import re
from graphlib import CycleError

import pytest

from tools import ROOT
from turns.backend import script_loader
from turns.backend.keys import CATALOGUE
from turns.backend.script_loader import VERBS, read_source, render, render_constants, required_by
from turns.backend.script_replies import Reply
from turns.backend.scripts import Scripts
from turns.config.settings import Settings
from turns.coordination.scripts import HoldScripts, SlotScripts
from turns.edits.scripts import EditScripts
from turns.ended_turns.scripts import FeedScripts
from turns.files.scripts import FileScripts
from turns.jobs.scripts import JobScripts
from turns.pauses.scripts import PauseScripts
from turns.session_stream.scripts import StreamScripts
from turns.store.partitioned.file_loans import LoanScripts
from turns.store.session_scripts import SessionScripts
from turns.store.worker_scripts import WorkerScripts
from turns.tenants.scripts import TenantScripts
from turns.usage.scripts import UsageScripts

LUA = ROOT / "turns" / "backend" / "lua"
FILES = sorted(str(path.relative_to(LUA).with_suffix("")) for path in LUA.rglob("*.lua"))
SHARED = [name.removeprefix("shared/") for name in FILES if name.startswith("shared/")]
DEFINITION = re.compile(r"^local (?:function )?(\w+)", re.MULTILINE)
GROUPS = (
    Scripts,
    JobScripts,
    UsageScripts,
    FeedScripts,
    LoanScripts,
    StreamScripts,
    SessionScripts,
    WorkerScripts,
    PauseScripts,
    TenantScripts,
    FileScripts,
    EditScripts,
    HoldScripts,
    SlotScripts,
)
LIST_VERBS = {
    "renew",
    "emit",
    "count_refusals",
    "count_tenants",
    "repair_sessions",
    "forget_files",
    "return_files",
}  # their arguments are one list
OUTCOME = re.compile(r"\b[A-Z]{3,}(?:_[A-Z]+)*\b")
MAX_LINES = 100


def header(verb: str) -> str:
    return read_source(verb).partition("\n\n")[0].partition("\n")[2]


def body(name: str) -> str:
    return read_source(name).partition("\n\n")[2]


def code(name: str) -> str:
    """Return the text of a Lua file without its comments and strings."""
    return re.sub(r"--.*|'[^'\n]*'", "", read_source(name))


def provided_by(name: str) -> set[str]:
    return set(DEFINITION.findall(read_source(f"shared/{name}")))


def replies(shared: str, verb: str) -> bool:
    """Return whether the verb calls this shared file for an outcome, itself or by another such file."""
    refusal = f"{shared}_refusal("
    callers = [name for name in SHARED if name != shared and refusal in body(f"shared/{name}")]
    return (
        refusal in body(verb)
        or (shared == "process_due" and f"{shared}(" in body(verb))
        or any(replies(name, verb) for name in callers)
    )


def test_each_verb_has_one_file_and_one_method() -> None:
    assert {name for name in FILES if "/" not in name} == set(VERBS)
    for scripts in GROUPS:
        assert all(callable(getattr(scripts, verb)) for verb in scripts.verbs)
    assert {verb for scripts in GROUPS for verb in scripts.verbs} == set(VERBS)


@pytest.mark.parametrize("verb", VERBS)
def test_the_header_names_the_verb_and_its_outcomes(verb: str) -> None:
    assert header(verb).startswith(f"-- {verb}: ")
    called = [body(verb), *(body(f"shared/{name}") for name in SHARED if replies(name, verb))]
    quoted = set(re.findall(r"'([A-Z_]+)'", "\n".join(called)))
    outcomes = quoted & set(Reply.__members__)
    described = set(OUTCOME.findall(header(verb).partition("Reply")[2])) & set(Reply.__members__)
    assert outcomes == described


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in LIST_VERBS])
def test_the_header_counts_the_arguments(verb: str) -> None:
    numbered = [int(n) for n in re.findall(r"^--\s+(?:ARGV)?\s+(\d+)", header(verb), re.MULTILINE)]
    unpacked = re.search(r"unpack\(ARGV, 1, (\d+)\)", body(verb))
    indexed = [int(n) for n in re.findall(r"ARGV\[(\d+)\]", body(verb))]
    last = max([int(unpacked[1])] if unpacked else indexed)
    open_end = re.search(
        r"unpack\(ARGV, (\d+)[) ]|= (\d+), #ARGV|messages\(session, ARGV, (\d+)\)|local i = (\d+) \+", body(verb)
    )
    assert numbered == list(range(1, (int(next(filter(None, open_end.groups()))) if open_end else last) + 1))


@pytest.mark.parametrize("name", FILES)
def test_a_script_is_short_and_contains_no_key_name(name: str) -> None:
    assert len(read_source(name).splitlines()) <= MAX_LINES
    for key in CATALOGUE:
        assert key.name not in read_source(name)


@pytest.mark.parametrize("name", FILES)
def test_a_file_requires_exactly_the_files_that_it_uses(name: str) -> None:
    text = code(name)
    others = [shared for shared in SHARED if f"shared/{shared}" != name]
    used = {
        shared
        for shared in others
        for definition in provided_by(shared)
        if re.search(rf"\b{definition}\b" if definition.isupper() else rf"(?<![\w.]){definition}\(", text)
    }
    assert required_by(read_source(name)) == sorted(used)


def test_no_two_shared_files_define_the_same_name() -> None:
    names = [name for shared in SHARED for name in provided_by(shared)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("verb", VERBS)
def test_a_script_defines_each_function_once_and_before_its_use(verb: str) -> None:
    text = render(verb, render_constants(Settings()))
    assert "-- requires:" not in text
    for shared in SHARED:
        for definition in provided_by(shared):
            assert len(re.findall(rf"^local (?:function )?{definition}\b", text, re.MULTILINE)) <= 1
    loaded: set[str] = set()
    for shared in script_loader._link(verb):
        assert set(required_by(read_source(f"shared/{shared}"))) <= loaded
        loaded.add(shared)


@pytest.mark.parametrize(
    ("files", "error"),
    [
        ({"cancel": "#!lua\n-- requires: unknown\n"}, FileNotFoundError),
        (
            {
                "cancel": "#!lua\n-- requires: one\n",
                "shared/one": "-- requires: two\n",
                "shared/two": "-- requires: one\n",
            },
            CycleError,
        ),
    ],
)
def test_an_unknown_file_or_a_cycle_raises(
    monkeypatch: pytest.MonkeyPatch, files: dict[str, str], error: type[Exception]
) -> None:
    monkeypatch.setattr(script_loader, "read_source", lambda name: files.get(name) or read_source(name))
    with pytest.raises(error):
        render("cancel", {})


def test_the_memory_flags_are_right() -> None:
    """When memory is full, requests of callers are refused, but an answer that was paid for is not."""
    shebangs = {verb: render(verb, render_constants(Settings())).partition("\n")[0] for verb in VERBS}
    refused = ("accept", "import_messages", "patch_session", "create_file", "borrow_file", "lend_file", "fork")
    assert {shebangs.pop(verb) for verb in refused} == {"#!lua"}
    reading = (
        "get_turn",
        "get_hold",
        "list_turns",
        "get_session",
        "list_sessions",
        "find_vanished",
        "count_tenants",
    )
    for verb in (*reading, "read_session_stream", "list_ended", "list_user_sessions"):
        assert shebangs.pop(verb) == "#!lua flags=no-writes"
    assert set(shebangs.values()) == {"#!lua flags=allow-oom"}


def test_every_process_renders_the_same_text() -> None:
    assert render_constants(Settings()) == render_constants(Settings())
