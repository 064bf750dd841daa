"""The version of the service."""

import tomllib

from tools import ROOT
from turns.config.version import VERSION


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["version"] == VERSION
