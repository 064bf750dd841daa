"""Tests of the calculator of `inturn size`."""

from dataclasses import replace

import pytest

from turns.sizing import constants as c
from turns.sizing.calculator import DAY_SECONDS, YEAR_SECONDS, Limits, Load, calculate

LOAD = Load(turns_per_day=DAY_SECONDS)  # one turn a second
LIMITS = Limits()


def test_memory_is_rate_times_bytes_times_retention() -> None:
    sizing = calculate(LOAD, LIMITS)
    live, events, results, sessions = sizing.memory
    assert (live.seconds, events.seconds, results.seconds) == (6, 900, DAY_SECONDS)
    assert live.bytes == pytest.approx(4 * 6 * live.bytes_per_turn), "those of the peak"
    assert results.bytes_per_turn == pytest.approx(c.RECORD.value + 700 * c.COMPRESSED.value * c.ALLOCATED.value)
    assert sessions.bytes == pytest.approx(30 * DAY_SECONDS * sessions.bytes_per_turn)
    assert sizing.bytes == pytest.approx(sum(one.bytes for one in sizing.memory))
    assert sizing.max_memory_bytes == pytest.approx(1.5 * sizing.bytes)
    assert sizing.bytes_per_year == 0


def test_everything_grows_with_the_turns() -> None:
    one, ten = calculate(LOAD, LIMITS), calculate(replace(LOAD, turns_per_day=10 * DAY_SECONDS), LIMITS)
    for name in ("bytes", "store_cores", "store_bytes_per_second", "caller_bytes_per_second"):
        assert getattr(ten, name) == pytest.approx(10 * getattr(one, name))


def test_sessions_that_are_kept_for_ever_grow_each_year() -> None:
    sizing = calculate(LOAD, replace(LIMITS, session_seconds=None))
    sessions = sizing.memory[-1]
    assert sessions.seconds is None
    assert sizing.bytes_per_year == pytest.approx(sessions.bytes_per_turn * YEAR_SECONDS) == sessions.bytes


def test_histories_in_files_take_no_memory_of_the_store() -> None:
    sessions = calculate(LOAD, replace(LIMITS, has_history_files=True)).memory[-1]
    assert sessions.bytes_per_turn == pytest.approx(c.SESSION.value / 5)


def test_primaries_have_memory_and_cores_for_the_load() -> None:
    many = replace(LOAD, turns_per_day=3000 * DAY_SECONDS, peak_factor=1, streamed_share=0)
    assert calculate(many, replace(LIMITS, primary_bytes=1e18)).primaries == 2, "3,000 polled turns a second"
    assert calculate(LOAD, replace(LIMITS, primary_bytes=1e9)).primaries > 1
    assert calculate(LOAD, LIMITS).primaries == 1


def test_streamed_turns_cost_more_than_polled_ones() -> None:
    streamed, polled = calculate(LOAD, LIMITS), calculate(replace(LOAD, streamed_share=0), LIMITS)
    assert streamed.store_cores > 2 * polled.store_cores
    assert streamed.caller_bytes_per_second > 2 * polled.caller_bytes_per_second


def test_workers_have_slots_for_the_peak_and_one_may_die() -> None:
    load = replace(LOAD, turns_per_day=60 * DAY_SECONDS, peak_factor=1)
    assert calculate(load, LIMITS).workers == 4, "the example of docs/operate/capacity.md"


def test_each_constant_has_a_source() -> None:
    assert len(c.ALL) > 10
    assert all(constant.source and constant.meaning for constant in c.ALL.values())
