"""With which code the command ends, and why."""

from enum import IntEnum

from inturn.errors import (
    ConfigurationError,
    InTurnError,
    Refused,
    StillRunning,
    TurnCancelled,
)
from inturn.errors import NoAnswer as NoAnswerError
from inturn.values import TurnData


class Exit(IntEnum):
    """`meaning` is its line in `docs/client.md`."""

    OK = 0, "It was done."
    NO_ANSWER = 1, "The turn ended as `failed` or `incomplete`; in a batch, at least one turn ended without an answer."
    USAGE = 2, "The command was called wrongly, or its settings cannot be used."
    UNAVAILABLE = 3, "The service does not answer, cannot take this now, or is broken."
    CANCELLED = 4, "The turn was cancelled: by Ctrl-C, or by somebody else."
    STILL_RUNNING = 5, "The time given with `--timeout` or `--wait` was over; the turn goes on."
    REFUSED = (
        6,
        "The service refused the request: no such turn, a wrong key, a full session, a field that breaks a rule.",
    )
    INTERRUPTED = 130, "Ctrl-C, where there was no turn to cancel."

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


def of_error(error: InTurnError) -> Exit:
    match error:
        case ConfigurationError():
            return Exit.USAGE
        case Refused():
            return Exit.REFUSED
        case StillRunning():
            return Exit.STILL_RUNNING
        case TurnCancelled():
            return Exit.CANCELLED
        case NoAnswerError():
            return Exit.NO_ANSWER
        case _:
            return Exit.UNAVAILABLE


def of_turn(turn: TurnData) -> Exit:
    """A turn that has not ended is well so far."""
    match turn.status:
        case "failed" | "incomplete":
            return Exit.NO_ANSWER
        case "cancelled":
            return Exit.CANCELLED
        case _:
            return Exit.OK
