"""The life of a turn, as a table.

Everything that affects the state machine is in this file. The table is not only documentation: it is
rendered into the Lua scripts (`scripts.py`), which are the only code that moves a turn, and the diagram
in `docs/state_machine.md` is drawn from it. A transition that is not in the table changes nothing.

The words of `Status` are those of the OpenAI Responses API, so a client's loop over
`{"queued", "in_progress"}` works unchanged.
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
    """What can happen to a live turn. `accept` is not among them: it makes the turn."""

    CLAIM = "claim"  # a worker takes the head of a session
    COMMIT = "commit"  # its answer takes effect
    RETRY = "retry"  # its attempt failed; another will be made
    FAIL = "fail"  # its attempt failed and none will follow; or it cannot even begin
    RESCUE = "rescue"  # its worker's lease ran out; another attempt will be made
    LOSE = "lose"  # its worker's lease ran out, and it was the last attempt allowed
    RELEASE = "release"  # its worker must end, and hands it back; the attempt does not count
    INTERRUPT = "interrupt"  # a newer turn of its session does not want to wait for it
    CANCEL = "cancel"  # the caller wants it no more
    EXPIRE = "expire"  # it was not started in the time that the caller gave


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
    """The status after `event`; raises `IllegalTransition` where the table has no such step."""
    try:
        return TRANSITIONS[status, event]
    except KeyError:
        raise IllegalTransition(f"a turn that is {status} cannot {event}") from None
