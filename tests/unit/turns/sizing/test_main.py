"""Tests of the program that `inturn size` runs."""

import json
import sys

import pytest

from turns.sizing.__main__ import main


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    monkeypatch.setattr(sys, "argv", ["size", *options])
    assert main() == 0
    return capsys.readouterr().out


def test_the_report_uses_the_settings_in_force(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("INTURN_RESULT_TTL_SECONDS", "7200")
    monkeypatch.setenv("INTURN_SESSION_TTL_SECONDS", "0")
    monkeypatch.setenv("INTURN_CONCURRENCY", "50")
    report = run(monkeypatch, capsys, "--turns-per-day", "2e6")
    assert "2,000,000 turns a day: 23.1 a second on average, 92.6 a second at the peak" in report
    assert "2 h" in report
    assert "ever" in report
    assert "with 50 slots each" in report


def test_json_has_the_needs_and_the_constants(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = json.loads(run(monkeypatch, capsys, "--turns-per-day=1000", "--json"))
    assert found["load"]["turns_per_day"] == 1000
    assert found["needs"]["primaries"] == 1
    assert {"value", "unit", "meaning", "source"} == set(found["constants"]["record"])


@pytest.mark.parametrize("option", ["--turns-per-day=0", "--turns-per-day=nan", "--streamed=101", "--answer-bytes=x"])
def test_an_impossible_load_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["size", "--turns-per-day=1", option])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert option.partition("=")[0] in capsys.readouterr().err
