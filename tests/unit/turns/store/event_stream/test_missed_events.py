"""Test that a reader misses no event, whenever the turn ends while its stream is read."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from turns.domain.events import START, EventType, TurnEvent
from turns.domain.turn import Turn
from turns.store.event_stream.folded_events import folded_events
from turns.store.event_stream.missed_events import read_last_event_id, read_missed_events

RECORD = {
    "session": "s",
    "session_id": "s",
    "sequence": "1",
    "attempt": "1",
    "claims": "1",
    "accepted_at": "1",
    "assistant": "default",
    "input": "hello",
    "variables": "{}",
}
LIVE = Turn.from_record("turn_1", {**RECORD, "status": "in_progress"})
FOLDED = Turn.from_record("turn_1", {**RECORD, "status": "completed", "output": "Hello you", "text_end": "9"})
FAILED = Turn.from_record("turn_1", {**RECORD, "status": "failed", "error_code": "provider_error"})


def event(entry_id: str, kind: EventType, text: str) -> TurnEvent:
    return TurnEvent(id=entry_id, attempt=1, type=kind, text=text)


T = TypeVar("T")

STREAM = [event("1-0", EventType.STATUS, "in_progress"), event("1-5", EventType.DELTA, "Hello")]
END = event("1-6", EventType.DONE, "failed")


class FakeStore:
    """A stream in which each read calls `meanwhile` before or after it."""

    def __init__(self, *, before: bool, meanwhile: Callable[["FakeStore"], None]) -> None:
        self.entries, self.turn, self.reads = list(STREAM), LIVE, 0
        self._before, self._meanwhile = before, meanwhile

    def read_events(self, turn_id: str, *, after: str) -> list[TurnEvent]:
        return self._read(lambda: [one for one in self.entries if one.id > after])

    def last_event_id(self, turn_id: str) -> str:
        return self._read(lambda: self.entries[-1].id if self.entries else START)

    def _read(self, read: Callable[[], T]) -> T:
        self.reads += 1
        if self._before and self.reads == 1:
            self._meanwhile(self)
        found = read()
        if not self._before and self.reads == 1:
            self._meanwhile(self)
        return found


def nothing(store: FakeStore) -> None:
    pass


def complete(store: FakeStore) -> None:
    store.entries, store.turn = [], FOLDED


def fail(store: FakeStore) -> None:
    store.entries, store.turn = [*STREAM, END], FAILED


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(
    ("meanwhile", "missed", "has_ended", "reads"),
    [
        (nothing, STREAM[1:], False, 1),
        (complete, folded_events(FOLDED, after="1-0"), True, 1),
        (fail, [*STREAM[1:], END], True, 2),
    ],
)
def test_the_end_of_a_turn_hides_no_event(
    before: bool, meanwhile: Callable[[FakeStore], None], missed: list[TurnEvent], has_ended: bool, reads: int
) -> None:
    store = FakeStore(before=before, meanwhile=meanwhile)
    found = read_missed_events(store, LIVE, lambda: store.turn, after="1-0")  # type: ignore[arg-type]  # a stand-in
    assert found == (missed, has_ended)
    assert store.reads == reads


def test_a_folded_turn_needs_no_stream() -> None:
    store = FakeStore(before=True, meanwhile=nothing)
    found, has_ended = read_missed_events(store, FOLDED, lambda: FOLDED, after="1-5")  # type: ignore[arg-type]  # a stand-in
    assert [(one.id, one.text) for one in found] == [("1-9", " you"), ("1-10", "completed")]
    assert has_ended
    assert store.reads == 0


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize(("meanwhile", "last"), [(nothing, "1-5"), (complete, "1-10"), (fail, "1-6")])
def test_the_last_id_is_known_while_the_turn_ends(
    before: bool, meanwhile: Callable[[FakeStore], None], last: str
) -> None:
    store = FakeStore(before=before, meanwhile=meanwhile)
    found = read_last_event_id(store, LIVE, lambda: store.turn)  # type: ignore[arg-type]  # a stand-in
    assert found == (last if before else "1-5")


def test_a_lost_stream_has_no_last_event() -> None:
    store = FakeStore(before=True, meanwhile=lambda store: store.entries.clear())
    assert read_last_event_id(store, LIVE, lambda: LIVE) == START  # type: ignore[arg-type]  # a stand-in
