"""The client as an installed package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import inturn
from tests.support.processes import Stack
from tools import ROOT

CHECK = """
import inturn, sys
from importlib.metadata import version
assert inturn.__version__ == version("inturn") == sys.argv[1]
assert not {"turns", "web", "worker", "langchain_core"} & set(sys.modules)
"""
USE = """
import inturn, sys
with inturn.Client(sys.argv[1]) as client:
    print(client.turns.create("wheel", "hello").wait().text)
"""


def run(*command: object, directory: Path) -> str:
    ran = subprocess.run([str(part) for part in command], cwd=directory, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = Path(tmp_path_factory.mktemp("wheel"))
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, directory=ROOT)
    [wheel] = directory.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def python(wheel: Path) -> Path:
    """Return the Python of an environment with only the wheel and its dependencies, in the pinned versions."""
    environment = wheel.parent / "environment"
    run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, environment, directory=wheel.parent)
    python = environment / "bin" / "python"
    install = (sys.executable, "-m", "uv", "pip", "install", "--python", python)
    run(*install, "--constraint", ROOT / "requirements.txt", wheel, directory=wheel.parent)
    return python


def test_the_wheel_contains_only_the_client(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"inturn"}
    assert "inturn/py.typed" in names


def test_the_client_works_without_the_service_installed(python: Path, stack: Stack) -> None:
    directory = python.parent
    run(python, "-c", CHECK, inturn.__version__, directory=directory)
    assert run(python, "-c", USE, stack.url, directory=directory).startswith("answer to hello")
    assert run(python.parent / "inturn", "--url", stack.url, "get", "--help", directory=directory).startswith(
        "Usage: inturn"
    )


def test_up_without_the_service_explains_how_to_get_it(python: Path) -> None:
    ran = subprocess.run(
        [python.parent / "inturn", "up"], cwd=python.parent, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert "not installed here" in ran.stderr
