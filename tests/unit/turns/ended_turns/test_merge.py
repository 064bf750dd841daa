from dataclasses import replace

import pytest

from turns.domain.ids import new_turn_id
from turns.domain.turn import Turn
from turns.ended_turns.feed import merge_parts

RECORD = {
    "session": "s",
    "session_id": "s",
    "status": "completed",
    "sequence": "1",
    "attempt": "1",
    "claims": "1",
    "accepted_at": "1",
    "assistant": "default",
    "input": "x",
    "variables": "{}",
    "output": "y",
    "model": "m",
}


def ended_at(*times: int) -> list[Turn]:
    turns = [Turn.from_record(new_turn_id(), RECORD) for _ in times]
    return [replace(turn, finished_at=at) for turn, at in zip(turns, times, strict=True)]


@pytest.mark.parametrize(
    ("parts", "limit", "times", "cursor", "has_more"),
    [
        ([(9, False, ended_at(1, 5))], 9, [1, 5], 9, False),
        ([(9, False, ended_at(1, 5)), (8, False, ended_at(2))], 9, [1, 2, 5], 8, False),
        ([(9, False, ended_at(1, 9)), (8, False, ended_at(2))], 9, [1, 2], 8, True),  # the other one may have more at 9
        ([(4, True, ended_at(1, 4)), (8, False, ended_at(2, 6))], 9, [1, 2, 4], 4, True),
        ([(9, False, ended_at(1, 3)), (9, False, ended_at(3, 5))], 2, [1, 3, 3], 3, True),  # a whole millisecond
        ([(9, False, []), (7, False, [])], 2, [], 7, False),
    ],
)
def test_a_page_reaches_as_far_as_all_partitions(
    parts: list[tuple[int, bool, list[Turn]]], limit: int, times: list[int], cursor: int, has_more: bool
) -> None:
    page = merge_parts(parts, limit=limit)
    assert [turn.finished_at for turn in page.turns] == times
    assert (page.after, page.has_more) == (cursor, has_more)
