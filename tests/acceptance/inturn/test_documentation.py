"""Commands and programs of the documentation run as they are printed, with the address of a test's service."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.support.documentation.snippets import SHELL, read_snippets
from tests.support.processes import Stack
from tools import ROOT

DOCS = ROOT / "docs"
ADDRESS = "http://127.0.0.1:8000"  # in all pages
ASSISTANTS = """
[assistants.default]
[assistants.example]
variables.ability = {}
[assistants.vision]
accepts = ["text", "image", "file"]
"""
# What a test cannot do as a reader does: the service runs already, and its ids are new ones.
PRELUDE = """set -euo pipefail
make() { :; }
git() { echo "a change"; }
curl() { command curl --fail-with-body "$@" | tee last; }
inturn() {
  case "$1" in up | chat) return ;; watch) set -- "$@" --until-idle ;; esac
  python -m inturn "$@"
}
"""
OF_THE_READER = {
    ". .venv/bin/activate": "",
    ".venv/bin/inturn": "inturn",
    "docs/chat.png": str(DOCS / "chat.png"),
}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    file = tmp_path_factory.mktemp("assistants") / "assistants.toml"
    file.write_text(ASSISTANTS)
    return {"INTURN_ASSISTANTS": str(file)}


class Reader:
    """Copies snippets into a shell or a file, and runs them in an empty directory."""

    def __init__(self, stack: Stack, directory: Path) -> None:
        self.url = stack.url
        self.directory = directory
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"PATH": path, "PYTHONPATH": str(ROOT), "INTURN_URL": stack.url, "XDG_STATE_HOME": str(directory)}
        self.environment = {**os.environ, **own}

    def run_shell(self, scripts: Iterable[str]) -> str:
        script = "\n".join(scripts)
        for printed, used in OF_THE_READER.items():
            script = script.replace(printed, used)
        id_of_last = r"""id=$(grep -o '"id": *"[a-z]*_[0-9a-f]*"' last | head -1 | cut -d'"' -f4)"""
        script = re.sub(r"^id=[a-z]+_[0-9a-f]{32}$", lambda _: id_of_last, script, flags=re.MULTILINE)
        return self._run(["bash", "-c", PRELUDE + script.replace(ADDRESS, self.url)])

    def run_python(self, code: str) -> str:
        return self._run([sys.executable, "-c", code.replace(ADDRESS, self.url).replace("docs/", f"{DOCS}/")])

    def _run(self, command: list[str]) -> str:
        ended = subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert ended.returncode == 0, f"{command[-1]}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


@pytest.fixture
def reader(stack: Stack, tmp_path: Path) -> Reader:
    return Reader(stack, tmp_path)


@pytest.mark.parametrize("page", ["README.md", "docs/start/quickstart.md", "docs/guides/files.md"])
def test_commands_of_a_page_run_as_printed(page: str, reader: Reader) -> None:
    answering = [s.script for s in read_snippets(ROOT / page) if s.language in SHELL and "key TENANT" not in s.text]
    assert "answer to What" in reader.run_shell(answering)


def test_commands_of_the_reference_run_as_printed(reader: Reader) -> None:
    (reader.directory / "questions.jsonl").write_text('{"input": "one"}\n{"input": "two"}\n')
    [examples] = [s for s in read_snippets(DOCS / "reference" / "client.md") if "$ inturn up" in s.text]
    reader.environment["NO_COLOR"] = "1"
    reader.run_shell(["inturn send -s foobar first", examples.script])
    assert (reader.directory / "review.txt").read_text().startswith("answer to a change")
    assert "answer to two" in (reader.directory / "questions.jsonl.results.jsonl").read_text()


def test_programs_of_all_pages_run_as_printed(reader: Reader) -> None:
    """Each page is a program; they run in one process, because the imports take longer than the programs."""
    pages = ("README.md", "start/quickstart", "guides/files", "guides/openai", "guides/openai_chat", "guides/langserve")
    printed = reader.run_python("\nprint('NEXT PAGE')\n".join(map(read_program, (*pages, "reference/client"))))
    for page, output in zip((*pages, "reference/client"), printed.split("NEXT PAGE"), strict=True):
        assert re.search(r"answer to (What|Hello)", output), page


def read_program(page: str) -> str:
    path = ROOT / page if page == "README.md" else DOCS / f"{page}.md"
    return "\n".join(snippet.text for snippet in read_snippets(path) if snippet.language == "python")
