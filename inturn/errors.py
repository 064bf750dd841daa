"""What can go wrong, sorted by who must act.

    InTurnError
    ├── Refused                 the caller: nothing was stored
    │   ├── InvalidRequest
    │   ├── Unauthenticated, Forbidden
    │   ├── TurnNotFound, TurnExpired, SessionNotFound, AssistantNotFound, WorkerNotFound
    │   ├── SessionBusy, SessionNotEmpty, TurnNotFailed, CountChanged, IdempotencyKeyReused
    │   └── TooMany             later: SessionBacklogFull, TenantBacklogFull, RateLimited, TokensSpent
    ├── Unavailable             the operator; the call was repeated until its retries were used up
    │   ├── Unreachable
    │   └── StoreUnavailable, Overloaded, IntakePaused, StreamsFull
    ├── ServiceBroken           the operator, whose log knows the `request_id`
    ├── NoAnswer                whoever asked: the turn has ended without one
    │   └── TurnFailed, TurnCancelled, TurnIncomplete
    ├── StillRunning            nobody: the time to wait was over, and the turn goes on
    ├── TextWithdrawn           whoever streams a chain: text that was passed on is void
    └── ConfigurationError      this program: its URL or its key cannot be used

Who only wants to know that it went wrong catches `InTurnError`.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inturn.values import TurnData


class InTurnError(Exception):
    """`status`, `code` and `request_id` are those of the service's answer; None where there was no answer."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.code = code
        self.request_id = request_id
        self.retry_after_seconds = retry_after_seconds

    def __str__(self) -> str:
        known = [self.code, self.request_id and f"request {self.request_id}"]
        inside = ", ".join(filter(None, known))
        return f"{self.message} ({inside})" if inside else self.message


class Refused(InTurnError):
    """The service did not take the request, and stored nothing."""


class InvalidRequest(Refused):
    """The message names the field and the rule."""


class Unauthenticated(Refused):
    """No key, or a wrong one."""


class Forbidden(Refused):
    """This key does not allow that."""


class TurnNotFound(Refused):
    """There is no such turn."""


class TurnExpired(Refused):
    """The turn ended, and the time for which it is kept has passed."""


class SessionNotFound(Refused):
    """There is no such session."""


class AssistantNotFound(Refused):
    """There is no such assistant."""


class WorkerNotFound(Refused):
    """There is no such worker, or it does not live."""


class SessionBusy(Refused):
    """The session has a live turn, and `on_busy` was `reject`, or messages were to be imported."""


class SessionNotEmpty(Refused):
    """The session has other messages already, so none can be imported."""


class TurnNotFailed(Refused):
    """Only a failed turn can be tried again."""


class CountChanged(Refused):
    """They are not as many as was said any more; nothing was done."""


class IdempotencyKeyReused(Refused):
    """The key was used before, with another request."""


class TooMany(Refused):
    """Later the same request may be taken; `retry_after_seconds` says when to ask."""


class SessionBacklogFull(TooMany):
    """Too many turns of this session wait."""


class TenantBacklogFull(TooMany):
    """Too many turns of this tenant wait."""


class RateLimited(TooMany):
    """Too many requests."""


class TokensSpent(TooMany):
    """This tenant's tokens for the day are used up."""


class Unavailable(InTurnError):
    """The service cannot do it now."""


class Unreachable(Unavailable):
    """Nobody answers there, or the connection broke before the answer. Whether the request arrived is not known."""


class StoreUnavailable(Unavailable):
    """The service's store does not answer."""


class Overloaded(Unavailable):
    """Too many turns wait."""


class IntakePaused(Unavailable):
    """An operator lets no turns in at the moment."""


class StreamsFull(Unavailable):
    """Too many streams are open. `turn.stream()` never raises it: it goes on by long-polls."""


class ServiceBroken(InTurnError):
    """The service failed, or what answers there is not InTurn."""


class NoAnswer(InTurnError):
    """The turn has ended without a complete answer; `turn` says how."""

    def __init__(self, turn: "TurnData") -> None:
        why = turn.error.message if turn.error else turn.status_reason
        message = f"{turn.id} is {turn.status}" + (f": {why}" if why else "")
        super().__init__(message, code=turn.error.code if turn.error else None)
        self.turn = turn


class TurnFailed(NoAnswer):
    """`code` says why."""


class TurnCancelled(NoAnswer):
    """Its caller, a later turn or the deletion of its session ended it."""


class TurnIncomplete(NoAnswer):
    """It was not started in time, was interrupted, or a limit cut its answer; `turn.text` is what there is."""


class StillRunning(InTurnError, TimeoutError):
    """The turn had not ended when the time to wait was over; `turn` is how it was then."""

    def __init__(self, turn: "TurnData") -> None:
        super().__init__(f"{turn.id} is still {turn.status}")
        self.turn = turn


class TextWithdrawn(InTurnError):
    """A run broke off in mid-answer, and the next one says something else."""


class ConfigurationError(InTurnError):
    """The URL or the key cannot be used."""
