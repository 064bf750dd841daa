"""The view of `inturn top` for operators, drawn from the statistics of a service."""

import io
from typing import Any

import pytest
from rich.console import Console

from inturn.cli.top.service_view import format_depth, format_pauses, format_rates, format_sparkline, service_view

MINUTE = {"accepted": 4, "refused": {}, "ended": {"completed": 3, "failed": 1}, "live_turns": 2}
WORKER: dict[str, Any] = {
    "name": "w1",
    "version": "1.2",
    "state": "running",
    "running_turns": [],
    "slots": None,
    "silent_seconds": 0,
}
STATS: dict[str, Any] = {
    "findings": [
        {"level": "bad", "headline": "Users are waiting.", "detail": "2 turns are waiting.", "todo": "Start workers."},
        {"level": "warn", "headline": "Turns are failing.", "detail": "14% failed.", "todo": ""},
    ],
    "live_turns": 8,
    "running_turns": 3,
    "waiting_turns": 2,
    "failed_turns": 1234,
    "live_workers": 1,
    "oldest_unanswered_seconds": 95.4,
    "series": [
        {**MINUTE, "live_turns": None},
        {**MINUTE, "refused": {"overloaded": 2, "store_unsafe": 5}},
        {**MINUTE, "live_turns": 8},
    ],
    "recent": {"error_share": None, "wait_p95_seconds": 0.05, "first_token_p95_seconds": 130},
    "pauses": [
        {
            "kind": "model",
            "name": "gpt",
            "reason": "maintenance",
            "by": "0123456789ab",
            "since": "2026-01-01T00:00:00.000Z",
            "until": "2026-01-02T10:30:00.000Z",
            "is_over": False,
            "waiting_turns": 1500,
        },
    ],
    "holds": [{"model": "local", "code": "provider_error", "since": "2026-01-01T00:00:00.000Z", "held_turns": 1200}],
    "workers": [
        {**WORKER, "running_turns": ["a", "b", "c"], "slots": 200},
        {**WORKER, "name": "w2", "state": "silent", "silent_seconds": 41},
        {**WORKER, "name": "w3", "state": "ended"},
        {**WORKER, "name": "w4", "state": "draining"},
    ],
    "failed_by_code": {"provider_error": 1200, "chain_error": 34},
}
TENANT = {"tenant": "-", "live_turns": 8, "running_turns": 3, "accepted_per_minute": 4.25, "failed_turns": 0}


def drawn(stats: dict[str, Any], tenants: list[dict[str, Any]]) -> str:
    console = Console(file=io.StringIO(), width=120, color_system=None)
    console.print(service_view(stats, tenants))
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


def test_the_verdict_comes_first_and_then_the_numbers() -> None:
    first, second, _, depth, rates, *rest = drawn(STATS, [TENANT]).splitlines()
    assert first == "✕ Users are waiting. 2 turns are waiting. Start workers."
    assert second == "! Turns are failing. 14% failed."
    assert depth.startswith("live 8 ▃█   running 3   waiting for a worker 2   longest wait 95 s")
    assert rates.startswith("accepted/min 4   refused/min 7   completed/min 3")
    assert any(line.split() == ["default", "8", "3", "4.2", "0"] for line in rest)
    assert any(line.split() == ["w1", "1.2", "3", "of", "200", "working"] for line in rest)
    assert any(line.split() == ["w2", "1.2", "0", "silent", "for", "41", "s"] for line in rest)
    assert any(line.split() == ["w4", "1.2", "0", "draining"] for line in rest)
    assert not any("w3" in line for line in rest)
    assert any(line.split() == ["provider_error", "1,200"] for line in rest)


def test_an_idle_service_has_no_tables() -> None:
    idle = {**STATS, "workers": [], "failed_by_code": {}, "pauses": [], "holds": []}
    assert "WORKER" not in drawn(idle, [])
    assert "TENANT" not in drawn(idle, [{**TENANT, "live_turns": 0}])
    assert format_pauses(idle) == []


def test_many_workers_are_cut_to_one_screen() -> None:
    workers = [{**STATS["workers"][0], "name": f"worker-{n}"} for n in range(30)]
    lines = drawn({**STATS, "workers": workers}, []).splitlines()
    assert sum("worker-" in line for line in lines) == 9
    assert any("and 21 more" in line for line in lines)


def test_control_characters_of_the_service_are_replaced() -> None:
    finding = {"level": "new", "headline": "Odd.", "detail": "\x1b[31mred", "todo": ""}
    paused = {**STATS["pauses"][0], "reason": "\x1b[2J"}
    assert "\x1b" not in drawn({**STATS, "findings": [finding], "pauses": [paused]}, [])


def test_numbers_of_this_moment_and_of_the_last_minute() -> None:
    assert format_depth(STATS)["failed"] == "1,234"
    assert format_rates(STATS)["errors"] == "-"
    assert format_rates(STATS)["first token p95"] == "2 min 10 s"


def test_pauses_and_holds_are_listed() -> None:
    paused, held = format_pauses(STATS)
    assert paused.startswith("model gpt paused by 0123456789ab for ")
    assert paused.endswith("d, until 2026-01-02 10:30 UTC (maintenance); 1,500 wait")
    assert held.startswith("local takes no turns (provider_error) for ")
    assert held.endswith("; 1,200 wait for it")


def test_a_pause_may_lack_author_reason_and_end() -> None:
    bare = {**STATS["pauses"][0], "kind": "workers", "name": "", "by": "", "reason": "", "until": None}
    [line] = format_pauses({**STATS, "pauses": [bare, {**bare, "is_over": True}], "holds": []})
    assert line.startswith("workers paused for ")
    assert line.endswith("d, until it is resumed; 1,500 wait")


@pytest.mark.parametrize(
    ("values", "expected"),
    [([], ""), ([0, None], ""), ([0, 7, None, 14], "▁▅ █"), ([3], "█")],
)
def test_a_sparkline_has_a_bar_for_each_value(values: list[int | None], expected: str) -> None:
    assert format_sparkline(values) == expected
