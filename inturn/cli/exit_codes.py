"""Exit codes of the command, with their meaning for the documentation."""

from enum import IntEnum

from inturn.errors import ConfigurationError, InTurnError, NoAnswer, Refused, StillRunning, TurnCancelled
from inturn.values import TurnData


class Exit(IntEnum):
    """An exit code. `meaning` is its row in `docs/reference/client.md`."""

    OK = 0, "Success."
    NO_ANSWER = 1, "The turn is `failed` or `incomplete`; for `batch`, at least one turn has no answer."
    USAGE = 2, "The command line or the settings are invalid."
    UNAVAILABLE = 3, "The service is unreachable, unavailable or broken."
    CANCELLED = 4, "The turn was cancelled, by Ctrl-C or by another caller."
    STILL_RUNNING = 5, "The time limit of `--timeout` or `--wait` passed; the turn continues."
    REFUSED = (
        6,
        "The service refused the request, for example because of an unknown turn, an invalid key or a full session.",
    )
    INTERRUPTED = 130, "Ctrl-C without a turn to cancel."

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


def exit_code_for_error(error: InTurnError) -> Exit:
    match error:
        case ConfigurationError():
            return Exit.USAGE
        case Refused():
            return Exit.REFUSED
        case StillRunning():
            return Exit.STILL_RUNNING
        case TurnCancelled():
            return Exit.CANCELLED
        case NoAnswer():
            return Exit.NO_ANSWER
        case _:
            return Exit.UNAVAILABLE


def exit_code_for_turn(turn: TurnData) -> Exit:
    """Return the code for a turn's status; a live turn counts as success."""
    match turn.status:
        case "failed" | "incomplete":
            return Exit.NO_ANSWER
        case "cancelled":
            return Exit.CANCELLED
        case _:
            return Exit.OK
