from turns.domain.state import Status
from turns.store.metrics import decode_counters

FIELDS = {
    b"accepted|batch": b"7",
    b"duration|50": b"2",
    b"duration|100": b"3",
    b"duration|inf": b"1",
    b"duration|sum": b"9500",
}


def test_each_duration_is_a_completed_turn() -> None:
    assert decode_counters(FIELDS)[f"ended|{Status.COMPLETED}|"] == 6
    assert decode_counters({b"accepted|batch": b"7"}) == {"accepted|batch": 7}
