from turns.domain.events import EventType, TurnEvent, place


def test_a_message_and_an_entry_say_the_same() -> None:
    entry = TurnEvent.from_entry(b"3-7", {b"type": b"delta", b"attempt": b"2", b"text": "é  x\n".encode()})
    assert entry == TurnEvent.from_message("3-7 2 delta é  x\n".encode())
    assert entry == TurnEvent(id="3-7", attempt=2, type=EventType.DELTA, text="é  x\n")


def test_places_compare_by_number() -> None:
    assert sorted(["10-0", "9-1", "9-10", "9-9"], key=place) == ["9-1", "9-9", "9-10", "10-0"]
