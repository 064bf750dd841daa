"""What the glance makes of the numbers, and where a plot puts them: modules of the page that draw nothing."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.operator import Operator
from tests.support.processes import Stack

CALM = {
    "paused": {},
    "live_turns": 0,
    "waiting_turns": 0,
    "running_turns": 0,
    "oldest_waiting_seconds": 0,
    "live_workers": 2,
    "recent": {
        "error_share": None,
        "first_token_p95_seconds": None,
        "wait_p95_seconds": None,
        "ended": {"failed": 0, "completed": 0},
    },
}
BUSY = {"live_turns": 9, "waiting_turns": 4, "running_turns": 2}
PAUSED = {"paused": {"workers": "2026-11-25T03:00:00.000Z"}}


def recent(**of: Any) -> dict[str, Any]:
    return {"recent": {**CALM["recent"], **of}}  # type: ignore[dict-item]


@pytest.fixture
def operator(operate: Callable[..., Operator], stack: Stack) -> Operator:
    return operate(stack)


def glance(operator: Operator, stats: dict[str, Any] | None, trouble: str | None = None) -> list[str]:
    found: list[dict[str, str]] = operator.evaluate(
        'async (now) => (await import("$static/operator/findings.js")).glance(now)',
        {"stats": stats, "trouble": trouble},
    )
    return [f"{finding['level']}: {finding['headline']}" for finding in found]


def test_the_weightiest_is_said_first(operator: Operator) -> None:
    waits = {**CALM, **BUSY, "oldest_waiting_seconds": 40}
    fails = recent(error_share=0.25, ended={"failed": 1, "completed": 3})
    for stats, said in (
        (CALM, ["good: Users are served."]),
        ({**CALM, "oldest_waiting_seconds": 0.9, **BUSY}, ["good: Users are served."]),
        ({**CALM, "oldest_waiting_seconds": 1.5, **BUSY}, ["warn: Users are waiting."]),
        (waits, ["bad: Users are waiting."]),
        ({**waits, **PAUSED}, ["bad: The workers are paused."]),
        ({**CALM, **PAUSED}, ["warn: The workers are paused."]),
        ({**waits, "live_workers": 0}, ["bad: Users are waiting: no worker is alive."]),
        ({**CALM, "live_workers": 0}, ["bad: No worker is alive."]),
        ({**CALM, **fails}, ["warn: Turns fail."]),
        ({**waits, **fails}, ["bad: Users are waiting.", "warn: Turns fail."]),
        ({**CALM, **recent(error_share=0.05)}, ["good: Users are served."]),
        ({**CALM, **recent(wait_p95_seconds=26)}, ["warn: Users have waited."]),
        ({**waits, **recent(wait_p95_seconds=26)}, ["bad: Users are waiting."]),
        ({**CALM, **recent(first_token_p95_seconds=12)}, ["warn: The model is slow."]),
    ):
        assert glance(operator, stats) == said


def test_old_numbers_say_nothing_about_now(operator: Operator) -> None:
    assert glance(operator, None) == ["unknown: Asking…"]
    for stats in (None, CALM):
        assert glance(operator, stats, "The store does not answer.") == ["bad: Nobody can tell."]


def test_a_scale_ends_at_a_round_number_above_all(operator: Operator) -> None:
    script = (
        'async (all) => { const { ticksOf } = await import("$static/operator/scale.js"); return all.map(ticksOf); }'
    )
    for most, ticks in zip(
        (0, 0.04, 1, 7, 10, 27, 300), operator.evaluate(script, [0, 0.04, 1, 7, 10, 27, 300]), strict=True
    ):
        assert ticks[0] == 0
        assert most <= ticks[2] <= 5 * max(most, 1)
    assert operator.evaluate(script, [27]) == [[0, 20, 40]]


def test_a_line_breaks_where_nothing_happened(operator: Operator) -> None:
    script = """async (values) => {
      const { lineOf, dotsOf } = await import("$static/operator/scale.js");
      return [lineOf(values, 4), dotsOf(values, 4)];
    }"""
    assert operator.evaluate(script, [1, 2, None, 4]) == ["M12.5 75L37.5 50M87.5 0", "M87.5 0h0"]


def test_a_turns_time_is_told_without_gaps(operator: Operator) -> None:
    def at(seconds: int) -> str:
        return f"2026-11-25T03:00:{seconds:02}.000Z"

    turn = {
        "status": "in_progress",
        "accepted_at": at(0),
        "finished_at": None,
        "runs": [
            {"number": 1, "started_at": at(1), "first_token_at": None, "ended_at": at(3)},
            {"number": 2, "started_at": at(6), "first_token_at": at(10), "ended_at": None},
        ],
    }
    found = operator.evaluate(
        """async ([turn, now]) => {
          const { stretchesOf } = await import("$static/operator/timeline.js");
          return stretchesOf(turn, now).map(({ kind, seconds }) => `${kind} ${seconds}`);
        }""",
        [turn, at(15)],
    )
    assert found == ["waited 1", "thinking 2", "waited 3", "thinking 4", "answering 5"]
