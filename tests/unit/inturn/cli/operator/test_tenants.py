"""Wrong arguments of `inturn tenants`, which call no service."""

import click
import pytest
from click.testing import CliRunner

from inturn.cli.main import cli
from inturn.cli.options import DURATION


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("20m", 1200), ("2h", 7200), ("1d", 86_400)])
def test_a_duration_is_a_number_with_a_unit(text: str, seconds: float) -> None:
    assert DURATION.convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "2", "h", "0h", "-1h", "1.5h", "2 h", "2w", "²h"])
def test_another_duration_is_a_usage_error(text: str) -> None:
    with pytest.raises(click.BadParameter, match="90s, 20m, 2h or 1d"):
        DURATION.convert(text, None, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "at least one of --concurrency, --backlog, --rate and --tokens"),
        (["--for", "2h"], "at least one of"),
        (["--concurrency", "-1"], "--concurrency"),
        (["--backlog", "0"], "--backlog"),
        (["--rate", "5", "--for", "soon"], "--for"),
    ],
)
def test_wrong_limits_are_usage_errors(options: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:1", "tenants", "set", "acme", *options])
    assert result.exit_code == 2
    assert message in result.stderr
