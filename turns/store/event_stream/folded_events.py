"""The events of a turn that ended with an answer: they follow from its record, so its stream is deleted."""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from turns.domain.events import EventType, TurnEvent, event_sort_key
from turns.domain.state import Status
from turns.domain.turn import Turn

UNKNOWN_END = 9_999_999_998  # after any event of a run whose last event an older release has not recorded


def is_folded(turn: Turn) -> bool:
    """Return whether the turn has ended and its record contains all of its events."""
    return turn.status.is_terminal and (turn.text_end is not None or turn.claims == 0)


def folded_end(turn: Turn) -> str:
    """Return the id of the last event of a folded stream."""
    return f"{turn.claims}-{(turn.text_end or 0) + 1}"


def folded_events(turn: Turn, *, after: str) -> list[TurnEvent]:
    """Return the events of a folded stream after the cursor: the runs, the text that is missing, and the end."""
    cursor = event_sort_key(after)
    events = (event for event in _folded(turn) if event_sort_key(event.id) > cursor)
    return [_without_start(event, cursor) if event.type is EventType.DELTA else event for event in events]


def _folded(turn: Turn) -> Iterator[TurnEvent]:
    runs = json.loads(turn.earlier_runs)
    attempts = [*(int(run[1]) for run in runs), turn.attempt]
    for run, attempt, following in zip(runs, attempts, attempts[1:], strict=False):
        number, reason, end = run[0], run[7], int(run[10]) if len(run) > 10 else UNKNOWN_END
        yield TurnEvent(id=f"{number}-0", attempt=attempt, type=EventType.STATUS, text=Status.IN_PROGRESS)
        yield TurnEvent(id=f"{number}-{end}", attempt=following, type=EventType.RESET, text=reason)
        yield TurnEvent(id=f"{number}-{end + 1}", attempt=following, type=EventType.STATUS, text=Status.QUEUED)
    last = partial(TurnEvent, attempt=turn.attempt)
    if turn.claims:
        yield last(id=f"{turn.claims}-0", type=EventType.STATUS, text=Status.IN_PROGRESS)
    if turn.text_end:
        yield last(id=f"{turn.claims}-{turn.text_end}", type=EventType.DELTA, text=turn.output or "")
    yield last(id=folded_end(turn), type=EventType.DONE, text=turn.status)


def _without_start(delta: TurnEvent, cursor: tuple[int, int]) -> TurnEvent:
    """Return the delta without the characters that the reader has received."""
    claim, seen = cursor
    is_begun = claim == event_sort_key(delta.id)[0]
    return replace(delta, text=delta.text[seen:]) if is_begun else delta
