"""A turn without a complete answer, in place of a completion that is not streamed."""

from turns.domain.error_codes import Code
from turns.domain.errors import Refused
from turns.domain.turn import Turn
from web.surfaces.openai.chat.completion import describe_problem

CODES = {Code.CONTEXT_TOO_LONG: "context_length_exceeded", Code.CONTENT_FILTERED: "content_filter"}  # OpenAI's words
STILL_RUNNING = "The turn {turn_id} has not ended yet, and goes on. The same request again waits for it."


class TurnWithoutAnswer(Refused):
    """The turn has no complete answer, or not yet."""

    def __init__(self, turn: Turn, message: str, *, status: int, code: str) -> None:
        super().__init__(message)
        self.turn = turn
        self.status = status  # type: ignore[misc]  # it depends on the turn
        self.code = code  # type: ignore[misc]


def check_answer(turn: Turn) -> None:
    """Raise `TurnWithoutAnswer` unless the turn has completed."""
    if not turn.status.is_terminal:
        raise TurnWithoutAnswer(turn, STILL_RUNNING.format(turn_id=turn.id), status=504, code="still_running")
    failure = turn.failure
    problem = describe_problem(turn.status, dict(failure) if failure else None)
    if problem is None:
        return
    message, code = problem
    if turn.error_code in CODES:
        raise TurnWithoutAnswer(turn, message, status=400, code=CODES[Code(turn.error_code)])
    raise TurnWithoutAnswer(turn, message, status=502 if code.startswith("provider_") else 500, code=code)
