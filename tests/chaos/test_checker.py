"""A judge that was never red proves nothing: it must see each single fault."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.checker import SubmittedTurn, check
from tests.support.scripted_model import answer

SYSTEM = "be good"
SESSION = "s"
SAID = [f"s turn {n}" for n in range(4)]


def good() -> tuple[list[SubmittedTurn], dict[str, str], list[dict[str, str]]]:
    asked = [SubmittedTurn(SESSION, said, f"id-{n}", n + 1) for n, said in enumerate(SAID)]
    history: list[dict[str, str]] = []
    for said in SAID:
        history.append({"role": "user", "content": said})
        history.append({"role": "assistant", "content": answer([{"role": "system", "content": SYSTEM}, *history])})
    return asked, {turn.turn_id: "completed" for turn in asked}, history


def lose_a_pair(history: list[Any], ended: dict[str, str]) -> None:
    del history[2:4]


def lose_the_last_pair(history: list[Any], ended: dict[str, str]) -> None:
    del history[-2:]


def forget_a_turn(history: list[Any], ended: dict[str, str]) -> None:
    ended["id-1"] = "in_progress"


def keep_what_failed(history: list[Any], ended: dict[str, str]) -> None:
    ended["id-1"] = "failed"


def double_a_pair(history: list[Any], ended: dict[str, str]) -> None:
    history[4:4] = history[2:4]


def swap_two_pairs(history: list[Any], ended: dict[str, str]) -> None:
    history[2:4], history[4:6] = history[4:6], history[2:4]


def drop_an_answer(history: list[Any], ended: dict[str, str]) -> None:
    del history[3]


def cut_an_answer(history: list[Any], ended: dict[str, str]) -> None:
    history[3] = {"role": "assistant", "content": "answer to"}


def answer_without_history(history: list[Any], ended: dict[str, str]) -> None:
    prompt = [{"role": "system", "content": SYSTEM}, history[2]]
    history[3] = {"role": "assistant", "content": answer(prompt)}


def add_a_stranger(history: list[Any], ended: dict[str, str]) -> None:
    history += [{"role": "user", "content": "who?"}, {"role": "assistant", "content": "me"}]


def test_what_is_right_is_found_right() -> None:
    asked, ended, history = good()
    assert check(asked, ended, {SESSION: history}, system=SYSTEM).is_clean


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (lose_a_pair, "lost"),
        (lose_the_last_pair, "lost"),
        (forget_a_turn, "lost"),
        (keep_what_failed, "lost"),
        (double_a_pair, "doubled"),
        (swap_two_pairs, "reordered"),
        (drop_an_answer, "half"),
        (cut_an_answer, "half"),
        (answer_without_history, "blind"),
        (add_a_stranger, "invented"),
    ],
)
def test_each_single_fault_is_found(fault: Callable[[list[Any], dict[str, str]], None], kind: str) -> None:
    asked, ended, history = good()
    fault(history, ended)
    assert getattr(check(asked, ended, {SESSION: history}, system=SYSTEM), kind)
