import pytest

from turns.domain.errors import HistoryUnusable
from turns.file_history.turn_store import committed_messages


@pytest.mark.parametrize("count", [0, 1, 3])
def test_messages_after_the_committed_ones_are_left_out(count: int) -> None:
    assert committed_messages([b"1", b"2", b"3"], count) == [b"1", b"2", b"3"][:count]


def test_a_file_without_all_committed_messages_is_unusable() -> None:
    with pytest.raises(HistoryUnusable, match="3 messages are committed, but the file has 2"):
        committed_messages([b"1", b"2"], 3)
