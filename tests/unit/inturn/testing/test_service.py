"""A service that cannot start explains why. tests/acceptance/assistants/test_example_project.py starts one."""

from pathlib import Path

import pytest

from inturn import installed_service
from inturn.testing import CannotStart, running_inturn
from inturn.testing.service import FOREIGN
from turns.config.settings import variables


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(CannotStart, match="INTURN_MODLE"),
        running_inturn(directory=tmp_path, settings={"INTURN_MODLE": "x"}),
    ):
        pass


def test_a_client_without_the_service_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(installed_service, "PLACES", (tmp_path,))
    with pytest.raises(CannotStart, match=r"inturn\[service\]"), running_inturn():
        pass


def test_no_setting_of_the_shell_reaches_the_service() -> None:
    assert {name for name in variables().values() if not name.startswith("INTURN_")} <= FOREIGN


def test_the_service_imports_its_packages_before_those_of_a_project(tmp_path: Path) -> None:
    environment = installed_service.service_environment(Path("/s"), {"PYTHONPATH": "/other"}, tmp_path)
    assert environment["PYTHONPATH"].split(":") == ["/s", str(tmp_path), "/other"]
    assert environment["PYTHONSAFEPATH"] == "1"
