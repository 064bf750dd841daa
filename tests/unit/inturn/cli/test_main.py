"""The command without a subcommand."""

from click.testing import CliRunner

import inturn
from inturn.cli.main import cli


def test_version_prints_the_version_of_the_package() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"inturn {inturn.__version__}\n")
