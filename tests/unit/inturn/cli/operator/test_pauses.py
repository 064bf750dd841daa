"""Wrong arguments of `inturn pause` and `inturn resume`, which call no service."""

import pytest
from click.testing import CliRunner

from inturn.cli.main import cli


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause", "tenant"], "Give the name of the tenant."),
        (["resume", "model"], "Give the name of the model."),
        (["pause", "workers", "w1"], "`workers` takes no name."),
        (["pause", "queue", "x"], "'queue' is not one of"),
        (["pause", "intake", "--for", "soon"], "--for"),
    ],
)
def test_a_wrong_part_is_a_usage_error(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:1", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
