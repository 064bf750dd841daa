"""examples/project as its owner has it: in a folder elsewhere, with its tests and its container files."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

import inturn
from tools import ROOT

EXAMPLE = ROOT / "examples" / "project"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = Path(tmp_path_factory.mktemp("project")) / "shop-assistant"
    shutil.copytree(EXAMPLE, directory, ignore=shutil.ignore_patterns("__pycache__", ".pytest_cache"))
    return directory


def test_its_own_tests_pass(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert re.search(r"\b5 passed", ran.stdout)


def test_the_packages_that_it_names_suffice_for_its_tests() -> None:
    lines = (EXAMPLE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    assert wanted
    assert all(version(each.name) in each.specifier for each in wanted)


def test_its_image_holds_all_that_the_chain_needs(project: Path, tmp_path: Path) -> None:
    """Execute the COPY lines, then import the chain where the image would."""
    lines = [line.split() for line in (project / "Dockerfile").read_text(encoding="utf-8").splitlines()]
    assert lines[0] == ["FROM", f"inturn:{inturn.__version__}"]
    assert lines[-1] == ["USER", "65534:65534"]
    sent = {name.removeprefix("!") for name in (project / ".dockerignore").read_text(encoding="utf-8").split()}
    for source in [name for word, *names in lines if word == "COPY" for name in names[:-1]]:
        assert source in sent, "the build would not find it"
        copy = shutil.copytree if (project / source).is_dir() else shutil.copy
        copy(project / source, tmp_path / source)
    check = [sys.executable, "-m", "worker.check_chain", "shop.chain:build"]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{tmp_path}"}
    ran = subprocess.run(check, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_its_compose_file_changes_our_services(project: Path) -> None:
    names = ["docker-compose.yml", "docker-compose.override.yml"]
    shutil.copy(ROOT / names[0], project)
    files = [str(project / name) for name in names]
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", *files]
    checked = subprocess.run(checker, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    base, override = (read_services(Path(file)) for file in files)
    assert set(override) == set(base) - {"store"}
    for service in override.values():
        assert (project / service["build"]["dockerfile"]).exists()
        assert all((project / name).exists() for name in service["env_file"])
        assert all((project / volume.split(":")[0]).exists() for volume in service["volumes"] if volume[0] == ".")


def read_services(file: Path) -> dict[str, dict[str, Any]]:
    services: dict[str, dict[str, Any]] = yaml.safe_load(file.read_text(encoding="utf-8"))["services"]
    return services
