"""The installed package: the client alone, and with the service."""

import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import inturn
from inturn.testing import ScriptedModel
from inturn.testing.ports import free_port
from tests.support.processes import DIRECT, Process, Stack
from tests.support.waiting import wait_until
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
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = Path(tmp_path_factory.mktemp("sdist"))
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", directory, directory=ROOT)
    [sdist] = directory.glob("*.tar.gz")
    return sdist


@pytest.fixture(scope="module")
def wheel(sdist: Path) -> Path:
    """Build the wheel from the sdist, as pip does where there is no wheel."""
    directory = sdist.parent
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="data")
    source = directory / sdist.name.removesuffix(".tar.gz")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, directory=source)
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


def test_the_wheel_installs_no_package_with_a_general_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"inturn"}
    assert "inturn/py.typed" in names
    for file in tracked("turns", "web", "worker", "supervisor"):
        assert f"inturn/_service/{file}" in names


def test_the_extras_are_the_requirements_of_the_service() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    assert sorted([*project["dependencies"], *extras["service"], "hatchling==1.33.0"]) == requirements("service.in")
    assert sorted(extras["otel"]) == requirements("otel.in")


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
    assert "pip install '.[service]'" in ran.stderr


def test_the_installed_service_answers_a_turn(wheel: Path, tmp_path: Path) -> None:
    """In a directory whose own package `web` must not be mistaken for the service's."""
    python = service_python(wheel, tmp_path / "environment")
    (tmp_path / "empty" / "web").mkdir(parents=True)
    (tmp_path / "empty" / "web" / "__init__.py").write_text("raise RuntimeError('not the service')\n")
    port, log = free_port(), tmp_path / "log"
    with ScriptedModel(lambda _: "forty-two").running() as model:
        process = Process(
            *("inturn", "up", "--port", str(port)),
            log=log,
            environment={"OPENAI_BASE_URL": model.url, "PYTHONPATH": "", "PYTHONWARNINGS": "default"},
            directory=tmp_path / "empty",
            python=python,
        )
        try:
            wait_until("it is ready", lambda: "is ready at" in log.read_text() or not process.is_running, seconds=60)
            with inturn.Client(f"http://127.0.0.1:{port}") as client:
                assert client.turns.create("s", "6 x 7?").wait().check().text == "forty-two"
            assert 'data-worker="inturn worker"' in call_page(f"http://127.0.0.1:{port}/operator")
        finally:
            process.terminate()
            wait_until("it has stopped", lambda: not process.is_running, seconds=60)
            code = process.stop()
    assert code == 0, log.read_text()
    assert "with the same settings: inturn worker" in log.read_text()
    assert (tmp_path / "empty" / ".inturn").is_dir()


def service_python(wheel: Path, environment: Path) -> Path:
    """Return the Python of an environment with the wheel, which imports all other packages from this one."""
    run(sys.executable, "-m", "uv", "venv", "--python", sys.executable, environment, directory=wheel.parent)
    python = environment / "bin" / "python"
    run(sys.executable, "-m", "uv", "pip", "install", "--python", python, "--no-deps", wheel, directory=wheel.parent)
    [packages] = environment.glob("lib/python*/site-packages")
    (packages / "pins.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return python


def tracked(*folders: str) -> list[str]:
    """Return the files of these folders that the repository contains."""
    return run("git", "ls-files", *folders, directory=ROOT).split()


def requirements(name: str) -> list[str]:
    lines = (ROOT / "tools" / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return sorted(line for line in lines if not line.startswith("#"))


def call_page(url: str) -> str:
    with DIRECT.open(url, timeout=10) as response:
        page: str = response.read().decode()
        return page
