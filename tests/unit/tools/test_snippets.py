"""Commands, code, settings and files in the documentation are such as the product accepts."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import click
import pytest
from jsonschema import Draft202012Validator

from inturn.cli.main import cli
from tests.support.documentation.snippets import SHELL, Snippet, read_snippets, split_commands
from tools import ROOT
from turns.assistants.loader import read_assistants
from turns.assistants.registry import AssistantRegistry
from turns.config.environment import CLIENT_VARIABLES
from turns.config.settings import Settings, variables
from web.app import create_app

DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", ROOT / "examples" / "project" / "README.md", *sorted(DOCS.glob("*/*.md"))]
PAGES = [page for page in PAGES if page.parent.name != "decisions"]
SNIPPETS = [snippet for page in PAGES for snippet in read_snippets(page)]
# Pages whose code is compared with an example that is tested as a whole.
EXCERPTS = {DOCS / "start" / "first_app.md"}
LOCAL_URL = re.compile(r"(http://127\.0\.0\.1:8000|\$INTURN_URL)(/[^?]*)(\?.*)?")
# Names that stand for something of the reader's.
OF_THE_READER = {"shop", "get_page"}


def shell_commands() -> Iterator[tuple[str, list[str]]]:
    """Yield the place and the words of each command, in blocks and between backticks."""
    for snippet in SNIPPETS:
        if snippet.language in SHELL:
            yield from ((snippet.place, command) for command in split_commands(snippet.script))
    for page in PAGES:
        prose = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
        for quoted in re.findall(r"`((?:inturn|make|python -m) [^`…]+)`", prose):
            yield from ((str(page.relative_to(ROOT)), command) for command in split_commands(" ".join(quoted.split())))


COMMANDS = list(shell_commands())


def parse(command: click.Command, words: Sequence[str]) -> None:
    """Raise `click.UsageError` for an option, a choice or a subcommand that does not exist."""
    context = click.Context(command, info_name=command.name)
    _, rest, _ = command.make_parser(context).parse_args(args=list(words))
    if isinstance(command, click.Group) and rest:
        name, child, words = command.resolve_command(context, rest)
        assert child is not None, name
        parse(child, words)


def test_every_command_of_the_command_line_exists() -> None:
    found = [(place, words) for place, words in COMMANDS if Path(words[0]).name == "inturn"]
    assert len(found) > 50
    for place, words in found:
        try:
            parse(cli, words[1:])
        except click.UsageError as error:
            pytest.fail(f"{place}: {' '.join(words)}: {error.format_message()}")


def test_every_make_target_and_its_variables_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    known = set(variables().values()) | set(re.findall(r"\$\((?:if \$\()?([A-Z]+)\)", makefile))
    found = [(place, words[1:]) for place, words in COMMANDS if words[0] == "make" and words[1:]]
    assert len(found) > 10
    for place, words in found:
        assigned = {word.partition("=")[0] for word in words if "=" in word}
        assert {word for word in words if "=" not in word} <= targets, (place, words)
        assert assigned <= known, (place, words)


def test_every_module_that_is_run_exists() -> None:
    found = [(place, words) for place, words in COMMANDS if "python" in Path(words[0]).name and "-m" in words]
    assert found
    for place, words in found:
        name = words[words.index("-m") + 1].strip(".,")
        assert name == "venv" or find_spec(name), f"{place}: {name}"


def test_every_setting_that_a_page_names_exists() -> None:
    known = set(variables().values()) | CLIENT_VARIABLES
    for page in PAGES:
        if page.name != "changelog.md":
            text = page.read_text(encoding="utf-8")
            named = set(re.findall(r"\bINTURN_[A-Z_]+[A-Z]\b(?!…|_|\*)", text))
            assert named <= known, page


@pytest.mark.parametrize("page", sorted({s.page for s in SNIPPETS if s.language == "python"} - EXCERPTS), ids=str)
def test_code_of_a_page_defines_every_name_that_it_uses(page: Path) -> None:
    """A reader copies the blocks of a page in their order."""
    code = "\n".join(snippet.text for snippet in read_snippets(page) if snippet.language == "python")
    check = (sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821", "--quiet", "-")
    config = ("--output-format", "concise", "--config", f"builtins = {sorted(OF_THE_READER)!r}")
    checked = subprocess.run([*check, *config], input=code, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("page", sorted({s.page for s in SNIPPETS if s.language == "toml"}), ids=str)
def test_assistants_of_a_page_can_be_loaded(page: Path, tmp_path: Path) -> None:
    file = tmp_path / "assistants.toml"
    blocks = [snippet.text for snippet in read_snippets(page) if snippet.language == "toml"]
    file.write_text("\n".join(blocks), encoding="utf-8")
    assert read_assistants(file).assistants


def test_every_request_of_a_command_fits_the_api() -> None:
    nowhere = Settings(redis_url="unix:///nowhere")
    api = create_app(nowhere, AssistantRegistry(nowhere)).test_client().get("/openapi.json").get_json()
    requests = [(place, request) for place, words in COMMANDS if (request := read_curl(words))]
    assert len(requests) > 10
    for place, (method, path, body) in requests:
        found = [
            api["paths"][known] for known in api["paths"] if re.fullmatch(re.sub(r"\{.+?\}", "[^/]+", known), path)
        ]
        assert found, f"{place}: {path}"
        assert method in found[0], f"{place}: {method} {path}"
        if body:
            schema = found[0][method]["requestBody"]["content"]["application/json"]["schema"]
            Draft202012Validator({**schema, "components": api["components"]}).validate(json.loads(body))


def read_curl(words: Sequence[str]) -> tuple[str, str, str] | None:
    """Return method, path and JSON of a curl command that calls a local service."""
    url = next((found for word in words if (found := LOCAL_URL.fullmatch(word))), None)
    if words[0] != "curl" or not url:
        return None
    options = dict(pairwise(words))
    body = options.get("-d", "").replace("$id", f"file_{0:032}")
    method = options.get("-X") or ("POST" if body or "-F" in words else "GET")
    return method.lower(), url[2], body


def test_the_examples_of_the_help_texts_exist() -> None:
    """The reference repeats the help texts, and so their examples."""
    page = (DOCS / "reference" / "client.md").read_text(encoding="utf-8")
    examples = re.findall(r"^    ((?:git diff \| |id=\$\()?inturn .+?)(?: {3,}.*)?$", page, re.MULTILINE)
    assert len(examples) > 10
    for example in examples:
        for words in split_commands(example):
            if words[0] == "inturn":
                parse(cli, words[1:])


def test_snippets_are_read_as_a_reader_copies_them() -> None:
    text = "$ a b \\\n    -d '{\"x\":\n    1}'      # remark\noutput\n$ x=1 c | d > file\n"
    snippet = Snippet(ROOT / "README.md", 1, "console", text)
    assert snippet.script.endswith("# remark\nx=1 c | d > file")
    assert "output" not in snippet.script
    assert list(split_commands("x=1 c | d > file; id=$(e -f)")) == [["c"], ["d"], ["e", "-f"]]
    assert os.linesep not in snippet.place
