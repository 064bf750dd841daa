import pytest

from tests.support.records import record
from turns.domain.assistant import Lane
from turns.domain.state import Status
from turns.operations.live_turns import LiveTurn

TIMES = {"started_at": "1000", "first_token_at": "2000"}


@pytest.mark.parametrize(("status", "times"), [(Status.IN_PROGRESS, (1000, 2000)), (Status.QUEUED, (None, None))])
def test_times_of_an_earlier_run_are_left_out(status: Status, times: tuple[int | None, ...]) -> None:
    turn = LiveTurn.from_record("turn_1", {**record(status), **TIMES}, behind=0)
    assert (turn.started_at, turn.first_token_at) == times


def test_the_tenant_is_taken_from_the_session() -> None:
    turn = LiveTurn.from_record("turn_1", {**record(Status.QUEUED), "session": "acme/-/s", "lane": "batch"}, behind=2)
    assert (turn.tenant, turn.user_id, turn.lane, turn.behind) == ("acme", None, Lane.BATCH, 2)
