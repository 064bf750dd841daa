"""The command `python -m turns move` refuses settings that cannot work before it touches a store."""

import pytest

from turns.__main__ import main


@pytest.mark.parametrize(
    ("variables", "to", "error"),
    [
        ({"REDIS_URL": "rediscluster://127.0.0.1:1"}, "rediscluster://127.0.0.1:2", "REDIS_URL: names a Redis Cluster"),
        ({}, "redis://127.0.0.1:2/0", "--to: must be a Redis Cluster, such as"),
        ({}, "rediscluster://127.0.0.1:2/1", "--to: must not name a database"),
        ({}, "http://127.0.0.1:2", "--to: must begin with one of"),
        ({"INTURN_HISTORY": "file:/tmp"}, "rediscluster://127.0.0.1:2", "INTURN_HISTORY: histories in files"),
        ({"INTURN_TENANT_TURNS_PER_MINUTE": "5"}, "rediscluster://127.0.0.1:2", "INTURN_TENANT_TURNS_PER_MINUTE: "),
    ],
)
def test_settings_that_cannot_work_are_refused(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    variables: dict[str, str],
    to: str,
    error: str,
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.argv", ["turns", "move", "--to", to])
    try:
        code = main()
    except SystemExit as exit_code:  # a setting that does not exist, or is wrong in itself
        code = int(str(exit_code.code))
    found = capsys.readouterr().err
    assert (code, found.startswith(error)) == (2, True), found


def test_a_cluster_that_does_not_answer_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setattr("sys.argv", ["turns", "move", "--to", "rediscluster://user:canary@127.0.0.1:2"])
    assert main() == 1
    error = capsys.readouterr().err
    assert "127.0.0.1:1." in error
    assert "run this again when both stores answer" in error
    assert "canary" not in error
