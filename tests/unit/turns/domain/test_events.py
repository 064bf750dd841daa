from turns.domain.events import EventType, TurnEvent, event_sort_key


def test_a_message_and_an_entry_parse_to_the_same_event() -> None:
    entry = TurnEvent.from_entry(b"3-7", {b"type": b"delta", b"attempt": b"2", b"text": "é  x\n".encode()})
    assert entry == TurnEvent.from_message("turn_a 4 3-7 2 delta é  x\n".encode())
    assert entry == TurnEvent(id="3-7", attempt=2, type=EventType.DELTA, text="é  x\n")


def test_event_ids_sort_by_number() -> None:
    assert sorted(["10-0", "9-1", "9-10", "9-9"], key=event_sort_key) == ["9-1", "9-9", "9-10", "10-0"]


def test_an_event_of_a_newer_release_is_skipped() -> None:
    assert TurnEvent.from_entry(b"3-7", {b"type": b"tomorrow", b"attempt": b"2", b"text": b"x"}) is None
    assert TurnEvent.from_message(b"turn_a 4 3-7 2 tomorrow x") is None
