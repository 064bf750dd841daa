import pytest

from turns.domain.events import EventType, TurnEvent
from turns.session_stream.cursor import CURSOR, END, StreamCursor

TURN, OTHER = "turn_" + "a" * 32, "turn_" + "b" * 32


def event(entry_id: str) -> TurnEvent:
    return TurnEvent(id=entry_id, attempt=1, type=EventType.DELTA, text="x")


@pytest.mark.parametrize("text", [f"7.2.{TURN}.1-12", f"7.0.{TURN}.end", "0.0.-.end"])
def test_a_cursor_is_the_text_that_it_was_parsed_from(text: str) -> None:
    assert CURSOR.fullmatch(text)
    assert str(StreamCursor.parse(text)) == text


@pytest.mark.parametrize("text", ["", "1-2", f"7.{TURN}.1-2", f"7.0.{TURN}.", "1.0.turn_x.end", f"-1.0.{TURN}.end"])
def test_other_texts_are_no_cursors(text: str) -> None:
    assert not CURSOR.fullmatch(text)


def test_a_cursor_has_seen_the_entries_before_it() -> None:
    cursor = StreamCursor(known=3, changes=0, turn_id=TURN, entry_id="2-9")
    assert [cursor.has_seen(TURN, event(entry_id)) for entry_id in ("1-10", "2-9", "2-10", "3-0")] == [
        True,
        True,
        False,
        False,
    ]
    assert not cursor.has_seen(OTHER, event("1-0")), "a later turn"


def test_nothing_follows_the_end_of_a_turn() -> None:
    cursor = StreamCursor(known=3, changes=0, turn_id=TURN, entry_id=END)
    assert cursor.has_seen(TURN, event("9-9"))
    assert not cursor.has_seen(OTHER, event("1-0"))
