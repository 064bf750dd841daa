"""Options that would be dropped silently, which call no service."""

import pytest
from click.testing import CliRunner

from inturn.cli.main import cli

TURN = "0" * 32


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["cancel", TURN, "--per-second", "5"], "--per-second has no effect with ids of turns."),
        (["cancel", TURN, "--no-wait"], "--no-wait has no effect"),
        (["cancel", TURN, "--yes"], "--yes has no effect"),
        (["cancel", TURN, "--tenant", "acme"], "Give ids of turns, or conditions."),
        (["keys", "create", "acme", "--local", "--json"], "--json needs an administrator's key"),
        (["keys", "ls", "--local", "--json"], "--json needs an administrator's key"),
        (["keys", "ls", "--local", "--tenant", "acme"], "--tenant needs an administrator's key"),
        (["keys", "revoke", "0123456789ab", "--local", "--cancel"], "--cancel needs an administrator's key"),
        (["keys", "revoke", "0123456789ab", "--local", "--even-last"], "--even-last needs an administrator's key"),
        (["keys", "revoke", "0123456789ab", "--local", "--reason", "leaked"], "--reason needs an administrator's key"),
        (["keys", "revoke", "0123456789ab", "--local", "--json"], "--json needs an administrator's key"),
    ],
)
def test_an_option_without_effect_is_a_usage_error(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(cli, ["--url", "http://127.0.0.1:1", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr
