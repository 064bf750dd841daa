"""Vendored files are unchanged, have their licence, and are listed in the documentation."""

import hashlib
from pathlib import Path

import pytest

from tools import ROOT

VENDORED = (ROOT / "web" / "static" / "vendor", ROOT / "tests" / "browser" / "vendor")


def sums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if not line.startswith("#"))}


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parent.name)
def test_each_file_matches_its_checksum(folder: Path) -> None:
    files = {path for path in folder.rglob("*") if path.is_file() and path.name != "SHA256SUMS"}
    found = {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    assert found == sums(folder)


@pytest.mark.parametrize("folder", VENDORED, ids=lambda folder: folder.parent.name)
def test_each_library_has_a_licence_and_is_listed(folder: Path) -> None:
    listed = (ROOT / "docs" / "reference" / "dependencies.md").read_text(encoding="utf-8")
    for script in folder.glob("*.js"):
        name, _, version = script.stem.rpartition("-")
        assert list(folder.rglob(f"{name}.txt")), f"the licence of {name}"
        assert f"{name} {version}" in listed, f"{name} {version}"
