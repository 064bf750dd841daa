"""What a turn is made of."""

from typing import Any

from tests.support.records import record
from turns.domain.state import Status
from turns.domain.turn import SHOWN, Turn


class Watched(dict[str, str]):
    """A record that knows which of its fields somebody looked at."""

    def __init__(self, record: dict[str, str]) -> None:
        super().__init__(record)
        self.looked_at: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.looked_at.add(name)
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self.looked_at.add(name)
        return super().get(name, default)

    def __contains__(self, name: object) -> bool:
        self.looked_at.add(str(name))
        return super().__contains__(name)


def test_what_is_shown_of_a_turn_that_has_ended_is_all_that_makes_it_up() -> None:
    ended = Watched(record(Status.COMPLETED))
    Turn.from_record("turn_1", ended)
    assert ended.looked_at - {"retry_at"} == set(SHOWN)  # that is told of those that wait
