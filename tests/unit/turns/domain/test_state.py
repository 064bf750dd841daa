import itertools

import pytest

from turns.domain.errors import IllegalTransition
from turns.domain.state import LIVE, TERMINAL, TRANSITIONS, Event, Status, advance


@pytest.mark.parametrize(("status", "event"), list(itertools.product(Status, Event)))
def test_an_event_outside_the_table_is_illegal(status: Status, event: Event) -> None:
    if (status, event) in TRANSITIONS:
        assert advance(status, event) is TRANSITIONS[status, event]
    else:
        with pytest.raises(IllegalTransition, match=f"{status} cannot {event}"):
            advance(status, event)


def test_a_terminal_status_never_changes() -> None:
    assert {frm for frm, _ in TRANSITIONS} == LIVE
    assert all(status.is_terminal for status in TERMINAL)


def test_every_status_and_event_occurs_in_the_table() -> None:
    assert set(TRANSITIONS.values()) | {Status.QUEUED} == set(Status)
    assert {event for _, event in TRANSITIONS} == set(Event)
