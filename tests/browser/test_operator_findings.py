"""The pure modules of the operator page: findings, scales of plots, and timelines."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.support.operator_page import OperatorPage
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
def operator(open_operator: Callable[..., OperatorPage], stack: Stack) -> OperatorPage:
    return open_operator(stack)


def findings(operator: OperatorPage, stats: dict[str, Any] | None, error: str | None = None) -> list[str]:
    found: list[dict[str, str]] = operator.evaluate(
        'async (state) => (await import("$static/operator/findings.js")).findFindings(state)',
        {"stats": stats, "error": error, "keyPrompt": None},
    )
    return [f"{finding['level']}: {finding['headline']}" for finding in found]


def test_most_severe_finding_comes_first(operator: OperatorPage) -> None:
    waiting = {**CALM, **BUSY, "oldest_waiting_seconds": 40}
    failing = recent(error_share=0.25, ended={"failed": 1, "completed": 3})
    for stats, expected in (
        (CALM, ["good: All good."]),
        ({**CALM, "store_refusal": "OOM"}, ["bad: No turn can be submitted: the store refuses writes."]),
        ({**CALM, "oldest_waiting_seconds": 0.9, **BUSY}, ["good: All good."]),
        ({**CALM, "oldest_waiting_seconds": 1.5, **BUSY}, ["warn: Users are waiting."]),
        (waiting, ["bad: Users are waiting."]),
        ({**waiting, **PAUSED}, ["bad: The workers are paused."]),
        ({**CALM, **PAUSED}, ["warn: The workers are paused."]),
        ({**waiting, "live_workers": 0}, ["bad: Users are waiting: no worker is running."]),
        ({**CALM, "live_workers": 0}, ["bad: No worker is running."]),
        ({**CALM, **failing}, ["warn: Turns are failing."]),
        ({**CALM, "failed_by_code": {"worker_lost": 1}}, ["warn: Turns end their workers."]),
        ({**waiting, **failing}, ["bad: Users are waiting.", "warn: Turns are failing."]),
        ({**CALM, **recent(error_share=0.05)}, ["good: All good."]),
        ({**CALM, **recent(wait_p95_seconds=26)}, ["warn: Users had to wait."]),
        ({**waiting, **recent(wait_p95_seconds=26)}, ["bad: Users are waiting."]),
        ({**CALM, **recent(first_token_p95_seconds=12)}, ["warn: The model is slow."]),
    ):
        assert findings(operator, stats) == expected


def test_stale_statistics_give_no_finding(operator: OperatorPage) -> None:
    assert findings(operator, None) == ["unknown: Loading…"]
    for stats in (None, CALM):
        assert findings(operator, stats, "The store does not answer.") == ["bad: Status unknown."]


def test_scale_ends_at_a_round_number_above_the_maximum(operator: OperatorPage) -> None:
    script = (
        'async (all) => { const { ticksUpTo } = await import("$static/operator/scale.js"); return all.map(ticksUpTo); }'
    )
    for maximum, ticks in zip(
        (0, 0.04, 1, 7, 10, 27, 300), operator.evaluate(script, [0, 0.04, 1, 7, 10, 27, 300]), strict=True
    ):
        assert ticks[0] == 0
        assert maximum <= ticks[2] <= 5 * max(maximum, 1)
    assert operator.evaluate(script, [27]) == [[0, 20, 40]]


def test_lines_have_gaps_where_values_are_missing(operator: OperatorPage) -> None:
    script = """async (values) => {
      const { linePath, dotsPath } = await import("$static/operator/scale.js");
      return [linePath(values, 4), dotsPath(values, 4)];
    }"""
    assert operator.evaluate(script, [1, 2, None, 4]) == ["M12.5 75L37.5 50M87.5 0", "M87.5 0h0"]


def test_segments_of_a_turn_have_no_gaps(operator: OperatorPage) -> None:
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
          const { timeSegments } = await import("$static/operator/timeline.js");
          return timeSegments(turn, now).map(({ kind, seconds }) => `${kind} ${seconds}`);
        }""",
        [turn, at(15)],
    )
    assert found == ["waiting 1", "thinking 2", "waiting 3", "thinking 4", "answering 5"]
