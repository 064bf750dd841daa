"""Importing the client and showing `--help` load no heavy package, which keeps them fast."""

import subprocess
import sys

import pytest

HEAVY = {
    "langchain_core",
    "rich",
    "flask",
    "celery",
    "redis",
    "pydantic",
    "gevent",
    "opentelemetry",
    "turns",
    "web",
    "worker",
    "supervisor",
}


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        ("import inturn", {*HEAVY, "click"}),
        ("from inturn.cli.main import main; sys.argv = ['inturn', '--help']; main()", HEAVY),
    ],
)
def test_heavy_packages_are_not_imported(program: str, heavy: set[str]) -> None:
    script = f"import sys; {program}; print(*sorted(set(sys.modules) & {heavy!r}), sep='\\n', file=sys.stderr)"
    completed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert completed.stderr.split() == []
