"""The check of a custom chain says how it runs and what it answers, or why its turns would fail."""

import sys

import pytest
from langchain_core.runnables import Runnable, RunnableLambda

from worker.check_chain import main


def checked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["check_chain", *arguments])
    code = main()
    printed = capsys.readouterr()
    return code, printed.out + printed.err


def test_an_asynchronous_chain_is_described(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code, printed = checked(monkeypatch, capsys, "examples.chains.orders:build")
    assert code == 0
    for line in (
        "runs       on the event loop",
        "blocks     the event loop for 0.",
        '"orders":[]',
        "overlaps   two turns",
    ):
        assert line in printed


def test_a_synchronous_chain_is_described(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = checked(monkeypatch, capsys, "tests.unit.worker.test_check_chain:build_echo", "--input", "tea")
    assert code == 0
    assert "runs       in a thread" in printed
    assert "answers    tea" in printed


def test_a_chain_gets_its_variables(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    code, printed = checked(monkeypatch, capsys, "examples.chains.haiku:build", "--var", "season=spring")
    assert code == 0
    assert "streams" in printed


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nowhere:build", "there is no module 'nowhere'"),
        ("silent", "the chain returned no text"),
        ("no_runnable", "the factory returned a str; it must return a Runnable"),
    ],
)
def test_a_chain_that_would_fail_has_a_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, reason: str
) -> None:
    chain = name if ":" in name else f"tests.acceptance.assistants.chains:{name}"
    code, printed = checked(monkeypatch, capsys, chain)
    assert (code, reason in printed) == (1, True)


def build_echo() -> Runnable[dict[str, str], str]:
    return RunnableLambda(lambda given: given["input"])
