"""The command without a subcommand."""

import warnings

import pytest
from click.testing import CliRunner

import inturn
from inturn.cli.exit_codes import Exit
from inturn.cli.main import cli, main


def test_version_prints_the_version_of_the_package() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"inturn {inturn.__version__}\n")


@pytest.mark.filterwarnings("default::inturn.PartitionsAway")
def test_a_warning_is_one_line_without_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)  # is restored after the test

    def list_turns(**_: object) -> int:
        warnings.warn("16 is missing.", inturn.PartitionsAway, stacklevel=2)
        return Exit.OK

    monkeypatch.setattr(cli, "main", list_turns)
    assert main() == Exit.OK
    assert capsys.readouterr().err == "16 is missing.\n"
