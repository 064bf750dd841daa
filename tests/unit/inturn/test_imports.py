"""What is loaded, and what is not: that is what makes it quick."""

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
def test_what_is_not_needed_is_not_loaded(program: str, heavy: set[str]) -> None:
    told = f"import sys; {program}; print(*sorted(set(sys.modules) & {heavy!r}), sep='\\n', file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stderr.split() == []
