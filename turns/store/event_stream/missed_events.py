"""The events that a reader has missed: from the stream of a live turn, or from the record of an ended one."""

from collections.abc import Callable

from turns.domain.events import START, TurnEvent
from turns.domain.turn import Turn
from turns.store.event_stream.folded_events import folded_end, folded_events, is_folded
from turns.store.turns import TurnStore


def read_missed_events(
    store: TurnStore, turn: Turn, get_current: Callable[[], Turn | None], *, after: str
) -> tuple[list[TurnEvent], bool]:
    """Return the events after the cursor, and whether they are the last ones because the turn has ended.

    `turn` may be an earlier state of the turn, whose end deletes its stream. So the stream is read before the turn: if
    the turn is live then, the stream was complete; if not, all that it lacks is in the record, or in the stream of a
    turn that ended without an answer.
    """
    if turn.status.is_terminal:
        return folded_events(turn, after=after) if is_folded(turn) else store.read_events(turn.id, after=after), True
    events = store.read_events(turn.id, after=after)
    current = get_current()
    if current and not current.status.is_terminal:
        return events, False
    if current and is_folded(current):
        return folded_events(current, after=after), True
    return store.read_events(turn.id, after=after), True


def read_last_event_id(store: TurnStore, turn: Turn, get_current: Callable[[], Turn | None]) -> str:
    """Return the id of the last event, or `START` if there is none."""
    last = START if is_folded(turn) else store.last_event_id(turn.id)
    if last != START:
        return last
    current = turn if turn.status.is_terminal else get_current()  # it may have ended before the stream was read
    return folded_end(current) if current and is_folded(current) else START
