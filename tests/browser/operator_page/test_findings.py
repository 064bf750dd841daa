"""The pure modules of the operator page: findings, scales of plots, and timelines."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.support.operator_page import OperatorPage
from tests.support.processes import Stack

GOOD = {"findings": [{"level": "good", "headline": "All good."}]}


@pytest.fixture
def operator(open_operator: Callable[..., OperatorPage], stack: Stack) -> OperatorPage:
    return open_operator(stack)


def findings(operator: OperatorPage, stats: dict[str, Any] | None, error: str | None = None) -> list[str]:
    found: list[dict[str, str]] = operator.evaluate(
        'async (state) => (await import("$static/operator/findings.js")).findFindings(state)',
        {"stats": stats, "error": error, "keyPrompt": None},
    )
    return [f"{finding['level']}: {finding['headline']}" for finding in found]


def test_stale_statistics_give_no_finding(operator: OperatorPage) -> None:
    assert findings(operator, None) == ["unknown: Loading…"]
    assert findings(operator, GOOD) == ["good: All good."]
    for stats in (None, GOOD):
        assert findings(operator, stats, "The store does not answer.") == ["bad: Status unknown."]


def test_scale_ends_at_a_round_number_above_the_maximum(operator: OperatorPage) -> None:
    script = """async (all) => {
      const { ticksUpTo } = await import("$static/operator/format/scale.js");
      return all.map(ticksUpTo);
    }"""
    for maximum, ticks in zip(
        (0, 0.04, 1, 7, 10, 27, 300), operator.evaluate(script, [0, 0.04, 1, 7, 10, 27, 300]), strict=True
    ):
        assert ticks[0] == 0
        assert maximum <= ticks[2] <= 5 * max(maximum, 1)
    assert operator.evaluate(script, [27]) == [[0, 20, 40]]


def test_lines_have_gaps_where_values_are_missing(operator: OperatorPage) -> None:
    script = """async (values) => {
      const { linePath, dotsPath } = await import("$static/operator/format/scale.js");
      return [linePath(values, 4), dotsPath(values, 4)];
    }"""
    assert operator.evaluate(script, [1, 2, None, 4]) == ["M12.5 75L37.5 50M87.5 0", "M87.5 0h0"]


def test_waits_are_described_in_words(operator: OperatorPage) -> None:
    waits = {
        ("parked", "tenant:acme"): "no free slot for tenant acme",
        ("parked", "loop/tenant:acme/model:org/m:1"): "no free slot for tenant acme, model org/m:1",
        ("parked", "losses:2"): "no free slot for turns that lost workers",
        ("model_paused", "0123abcd/m"): "m limits its rate",
        ("tenant_frozen", "acme"): "tenant frozen: acme",
    }
    script = """async (waits) => {
      const { waitText } = await import("$static/operator/format/waits.js");
      return waits.map(waitText);
    }"""
    found = operator.evaluate(script, [{"reason": reason, "what": what} for reason, what in waits])
    assert found == list(waits.values())


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
        "waits": [
            {"reason": "model_paused", "since": at(3), "until": at(5), "what": "m"},
            {"reason": "silent", "since": at(11), "until": None, "what": ""},
        ],
    }
    found = operator.evaluate(
        """async ([turn, now]) => {
          const { timeSegments } = await import("$static/operator/format/timeline.js");
          return timeSegments(turn, now).map(({ kind, seconds }) => `${kind} ${seconds}`);
        }""",
        [turn, at(15)],
    )
    assert found == ["waiting 1", "thinking 2", "held 2", "waiting 1", "thinking 4", "answering 1", "silent 4"]
