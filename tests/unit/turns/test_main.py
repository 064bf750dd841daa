"""The command `python -m turns keys`."""

from argparse import Namespace
from pathlib import Path

import pytest

from tests.support.stub_client import StubClient
from turns.__main__ import Service, _create, main
from turns.access.key_record import KeyRecord
from turns.config.settings import Settings


def test_a_store_that_does_not_answer_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["turns", "keys", "list"])
    monkeypatch.setenv("REDIS_URL", "redis://user:canary@127.0.0.1:1/0")
    assert main() == 3
    error = capsys.readouterr().err
    assert error.startswith("The store does not answer at redis://127.0.0.1:1/0; start it first")
    assert error.count("\n") == 1


def test_a_file_that_cannot_be_written_hides_no_new_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("turns.access.api_keys._now_ms", lambda: 17)
    client = StubClient([{}], b"1", [0, 1, 17.0], [], [])  # keys exist; the new id is free
    options = Namespace(tenant="acme", scopes="turns", days=None, adopt=False, label="")
    secret = _create(Service(Settings(), client.as_client, KeyRecord(tmp_path / "missing")), options)
    assert secret.startswith("inturn_")
    assert "Warning: " in capsys.readouterr().err


def test_the_prefix_of_a_session_s_keys_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("turns.__main__.check_store_or_exit", lambda _: None)
    monkeypatch.setattr("sys.argv", ["turns", "partition", "s"])
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1:1")
    assert main() == 0
    assert capsys.readouterr().out == "inturn:{19-43}:\n"
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    assert main() == 2
    assert "no partitions" in capsys.readouterr().err


def test_sessions_of_a_cluster_are_not_adopted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("turns.__main__.check_store_or_exit", lambda _: None)
    monkeypatch.setattr("sys.argv", ["turns", "keys", "adopt", "acme"])
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1:1")
    assert main() == 2
    assert "cannot be given to another tenant" in capsys.readouterr().err
