"""Errors that the client raises, grouped by what has to be done about them.

    InTurnError
    ├── Refused                 fix the request; the service stored nothing
    │   ├── InvalidRequest
    │   ├── Unauthenticated, Forbidden
    │   ├── TurnNotFound, TurnExpired, SessionNotFound, AssistantNotFound, WorkerNotFound, JobNotFound
    │   ├── SessionBusy, SessionChanged, SessionNotEmpty, TurnNotFailed, WorkerAlive, IdempotencyKeyReused
    │   ├── TurnNotCommitted, TurnNotLast
    │   ├── FileNotFound, FileInUse, FileTypeRefused
    │   ├── KeyNotFound, KeyExists, KeyNotActive, LastKey
    │   └── TooMany             try later: SessionBacklogFull, TenantBacklogFull, RateLimited, TokensSpent, TooManyJobs,
    │                           FilesFull
    ├── Unavailable             repair the service; the client used up its retries
    │   ├── Unreachable
    │   └── StoreUnavailable, StoreUnsafe, Overloaded, IntakePaused, StreamsFull, FilesUnavailable
    ├── ServiceBroken           report a bug; the service's log contains the `request_id`
    ├── NoAnswer                the turn ended without a complete answer
    │   └── TurnFailed, TurnCancelled, TurnIncomplete
    ├── StillRunning            wait longer; the timeout passed and the turn continues
    ├── TextWithdrawn           discard the streamed text; a later attempt replaced it
    └── ConfigurationError      fix the URL or the API key

Catch `InTurnError` to handle all of them. `PartitionsAway` is a warning, not an error.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from inturn.values import TurnData


class PartitionsAway(UserWarning):
    """A list or sum lacks what is in some partitions of the store, which are away. Repeat the call later.

    `warnings.simplefilter("error", inturn.PartitionsAway)` makes it an error.
    """


class InTurnError(Exception):
    """Base class of all errors of the client.

    `status`, `code` and `request_id` come from the service's response; they are None if there was no response.
    """

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
        details = ", ".join(filter(None, [self.code, self.request_id and f"request {self.request_id}"]))
        return f"{self.message} ({details})" if details else self.message


class Refused(InTurnError):
    """The service refused the request and stored nothing."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """A wrong value: its path in the request, such as `variables.ability`, and the rule that it breaks."""

    field: str
    rule: str


class InvalidRequest(Refused):
    """The request breaks a rule; the message has one line for each wrong field, with its rule.

    `errors` has the same as values, of at most ten fields; it is empty if no field is wrong.
    """

    errors: tuple[FieldError, ...] = ()


class Unauthenticated(Refused):
    """The API key is missing, invalid, expired or revoked."""


class Forbidden(Refused):
    """The API key does not have the scope that the request needs."""


class TurnNotFound(Refused):
    """The turn does not exist."""


class TurnExpired(Refused):
    """The turn ended and its record has been deleted after the retention time."""


class SessionNotFound(Refused):
    """The session does not exist."""


class AssistantNotFound(Refused):
    """No assistant with this name is configured."""


class WorkerNotFound(Refused):
    """No live worker has this name."""


class FileNotFound(Refused):
    """The file does not exist, or has been deleted because nothing referred to it."""


class FileInUse(Refused):
    """A turn or a session refers to the file, so it cannot be deleted."""


class FileTypeRefused(Refused):
    """The service takes no files of this type, or the content is of another type."""


class SessionBusy(Refused):
    """The session has a live turn: `on_busy` was `reject`, or the request was an import."""


class SessionChanged(Refused):
    """The session has another version than the request requires: another caller was faster."""


class SessionNotEmpty(Refused):
    """The session already has other messages, so none can be imported."""


class TurnNotFailed(Refused):
    """Only a failed turn can be retried."""


class TurnNotCommitted(Refused):
    """The turn has no messages in the history: it has not completed, or they were replaced or deleted."""


class TurnNotLast(Refused):
    """The turn is not the last one in the history of its session."""


class JobNotFound(Refused):
    """There is no such job, or it is no longer kept."""


class WorkerAlive(Refused):
    """The worker sends heartbeats, so its turns cannot be taken away."""


class KeyNotFound(Refused):
    """There is no API key with this id."""


class KeyExists(Refused):
    """There is an API key with this id; its secret was in the first response only."""


class KeyNotActive(Refused):
    """The API key is revoked or expired; only an active one can be rotated."""


class LastKey(Refused):
    """It is the last active API key with one of its scopes, and was not revoked."""


class IdempotencyKeyReused(Refused):
    """The idempotency key was used before with a different request."""


class TooMany(Refused):
    """A limit was reached; the same request may succeed after `retry_after_seconds`."""


class SessionBacklogFull(TooMany):
    """Too many turns of this session are waiting."""


class TenantBacklogFull(TooMany):
    """Too many turns of this tenant are waiting."""


class RateLimited(TooMany):
    """The tenant sends requests faster than its rate limit allows."""


class TokensSpent(TooMany):
    """The tenant has used its tokens for today."""


class TooManyJobs(TooMany):
    """Too many jobs of operators have not ended."""


class FilesFull(TooMany):
    """The files of this tenant have as many bytes as is allowed."""


class Unavailable(InTurnError):
    """The service cannot handle the request now."""


class Unreachable(Unavailable):
    """No response: the connection failed or broke. The request may or may not have arrived."""


class StoreUnavailable(Unavailable):
    """The service's store does not respond."""


class StoreUnsafe(Unavailable):
    """The service's store may delete turns, so no turn is accepted."""


class Overloaded(Unavailable):
    """Too many turns are waiting in the whole service."""


class IntakePaused(Unavailable):
    """An operator has paused the intake of new turns."""


class StreamsFull(Unavailable):
    """Too many event streams are open. `turn.stream()` falls back to long polls instead of raising this."""


class FilesUnavailable(Unavailable):
    """The service cannot store or read files now."""


class ServiceBroken(InTurnError):
    """The service failed, or the URL does not belong to an InTurn service."""


class NoAnswer(InTurnError):
    """The turn ended without a complete answer; `turn` is the ended turn."""

    def __init__(self, turn: "TurnData") -> None:
        reason = turn.error.message if turn.error else turn.status_reason
        message = f"{turn.id} is {turn.status}" + (f": {reason}" if reason else "")
        super().__init__(message, code=turn.error.code if turn.error else None)
        self.turn = turn


class TurnFailed(NoAnswer):
    """The turn failed; `code` is the reason."""


class TurnCancelled(NoAnswer):
    """The turn was cancelled by a caller, by a later turn or by the deletion of its session."""


class TurnIncomplete(NoAnswer):
    """The turn did not start in time, was interrupted, or reached a limit; `turn.text` is the partial answer."""


class StillRunning(InTurnError, TimeoutError):
    """The turn had not ended when the timeout passed; `turn` is its last known state."""

    def __init__(self, turn: "TurnData") -> None:
        super().__init__(f"{turn.id} is still {turn.status}")
        self.turn = turn


class TextWithdrawn(InTurnError):
    """An attempt broke off after text was streamed, and the next attempt produced different text."""


class ConfigurationError(InTurnError):
    """The URL or the API key cannot be used."""
