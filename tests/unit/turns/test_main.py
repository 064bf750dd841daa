"""The command `python -m turns keys`."""

import pytest

from turns.__main__ import main


def test_a_store_that_does_not_answer_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["turns", "keys", "list"])
    monkeypatch.setenv("REDIS_URL", "redis://user:canary@127.0.0.1:1/0")
    assert main() == 3
    error = capsys.readouterr().err
    assert error.startswith("The store does not answer at redis://127.0.0.1:1/0; start it first")
    assert error.count("\n") == 1
