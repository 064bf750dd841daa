"""The state machine of a turn, as a table.

The table is substituted into the Lua scripts (`turns/backend/script_loader.py`), the only code that changes the status
of a turn, and the diagram in `docs/reference/state_machine.md` is generated from it. A script changes nothing if the
transition is not in the table.

The values of `Status` are those of the OpenAI Responses API, so a client's loop over `{"queued", "in_progress"}` works
unchanged.
"""

from enum import StrEnum
from types import MappingProxyType

from turns.domain.errors import IllegalTransition


class Status(StrEnum):
    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INCOMPLETE = "incomplete"

    @property
    def is_terminal(self) -> bool:
        return self not in LIVE


class Event(StrEnum):
    """Events of a live turn. `accept` is not among them, because it creates the turn."""

    CLAIM = "claim"  # a worker takes the head of a session
    COMMIT = "commit"  # the answer takes effect
    RETRY = "retry"  # the attempt failed; another one follows
    FAIL = "fail"  # the last attempt failed, or the turn cannot start
    RESCUE = "rescue"  # the worker was lost; another run follows, and the attempt does not count
    LOSE = "lose"  # the worker was lost, as too many workers of this turn before
    RELEASE = "release"  # the worker stops and returns the turn; the attempt does not count
    INTERRUPT = "interrupt"  # a newer turn of the session interrupts it
    CANCEL = "cancel"  # the caller cancels it
    EXPIRE = "expire"  # it was not started within the time that the caller set


LIVE = frozenset({Status.QUEUED, Status.IN_PROGRESS})
TERMINAL = frozenset(Status) - LIVE

INITIAL = Status.QUEUED

TRANSITIONS = MappingProxyType(
    {
        (Status.QUEUED, Event.CLAIM): Status.IN_PROGRESS,
        (Status.QUEUED, Event.FAIL): Status.FAILED,
        (Status.QUEUED, Event.CANCEL): Status.CANCELLED,
        (Status.QUEUED, Event.EXPIRE): Status.INCOMPLETE,
        (Status.IN_PROGRESS, Event.COMMIT): Status.COMPLETED,
        (Status.IN_PROGRESS, Event.FAIL): Status.FAILED,
        (Status.IN_PROGRESS, Event.RETRY): Status.QUEUED,
        (Status.IN_PROGRESS, Event.RESCUE): Status.QUEUED,
        (Status.IN_PROGRESS, Event.LOSE): Status.FAILED,
        (Status.IN_PROGRESS, Event.RELEASE): Status.QUEUED,
        (Status.IN_PROGRESS, Event.INTERRUPT): Status.INCOMPLETE,
        (Status.IN_PROGRESS, Event.CANCEL): Status.CANCELLED,
    }
)


def advance(status: Status, event: Event) -> Status:
    """Return the status after `event`; raise `IllegalTransition` if the table has no such transition."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(f"a turn that is {status} cannot {event}") from None
