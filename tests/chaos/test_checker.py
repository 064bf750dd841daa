"""The checker finds each single fault; a checker that never failed would prove nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.checker import SubmittedTurn, check
from tests.support.scripted_model import answer

SYSTEM = "be good"
SESSION = "s"
TEXTS = [f"s turn {n}" for n in range(4)]


def correct_run() -> tuple[list[SubmittedTurn], dict[str, str], list[dict[str, str]]]:
    submitted = [SubmittedTurn(SESSION, text, f"id-{n}", n + 1) for n, text in enumerate(TEXTS)]
    history: list[dict[str, str]] = []
    for text in TEXTS:
        history.append({"role": "user", "content": text})
        history.append({"role": "assistant", "content": answer([{"role": "system", "content": SYSTEM}, *history])})
    return submitted, {turn.turn_id: "completed" for turn in submitted}, history


def lose_a_pair(history: list[Any], statuses: dict[str, str]) -> None:
    del history[2:4]


def lose_the_last_pair(history: list[Any], statuses: dict[str, str]) -> None:
    del history[-2:]


def leave_a_turn_running(history: list[Any], statuses: dict[str, str]) -> None:
    statuses["id-1"] = "in_progress"


def keep_a_failed_pair(history: list[Any], statuses: dict[str, str]) -> None:
    statuses["id-1"] = "failed"


def double_a_pair(history: list[Any], statuses: dict[str, str]) -> None:
    history[4:4] = history[2:4]


def swap_two_pairs(history: list[Any], statuses: dict[str, str]) -> None:
    history[2:4], history[4:6] = history[4:6], history[2:4]


def drop_an_answer(history: list[Any], statuses: dict[str, str]) -> None:
    del history[3]


def cut_an_answer(history: list[Any], statuses: dict[str, str]) -> None:
    history[3] = {"role": "assistant", "content": "answer to"}


def answer_without_history(history: list[Any], statuses: dict[str, str]) -> None:
    prompt = [{"role": "system", "content": SYSTEM}, history[2]]
    history[3] = {"role": "assistant", "content": answer(prompt)}


def add_an_unknown_pair(history: list[Any], statuses: dict[str, str]) -> None:
    history += [{"role": "user", "content": "who?"}, {"role": "assistant", "content": "me"}]


def test_a_correct_run_is_clean() -> None:
    submitted, statuses, history = correct_run()
    assert check(submitted, statuses, {SESSION: history}, system=SYSTEM).is_clean


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lose_a_pair, "lost"),
        (lose_the_last_pair, "lost"),
        (leave_a_turn_running, "lost"),
        (keep_a_failed_pair, "lost"),
        (double_a_pair, "doubled"),
        (swap_two_pairs, "reordered"),
        (drop_an_answer, "half"),
        (cut_an_answer, "half"),
        (answer_without_history, "blind"),
        (add_an_unknown_pair, "invented"),
    ],
)
def test_each_single_fault_is_found(fault: Callable[[list[Any], dict[str, str]], None], kind: str) -> None:
    submitted, statuses, history = correct_run()
    fault(history, statuses)
    assert getattr(check(submitted, statuses, {SESSION: history}, system=SYSTEM), kind)
