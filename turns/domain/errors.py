"""The error tree, sorted by who must act.

    TurnsError
    ├── Refused                 the caller
    │   ├── InvalidRequest
    │   ├── Unauthenticated, Forbidden
    │   ├── TurnNotFound, TurnExpired, SessionNotFound, AssistantNotFound, WorkerNotFound
    │   ├── SessionBusy, SessionNotEmpty, TurnNotFailed, CountChanged, IdempotencyKeyReused
    │   ├── SessionBacklogFull, TenantBacklogFull, RateLimited, TokensSpent
    │   └── Overloaded, IntakePaused, StreamsFull
    ├── LeaseLost               this worker, which stops quietly
    ├── ModelError              the retry policy
    ├── HistoryUnusable         the turn's session, which needs a person
    ├── StoreUnavailable        the operator
    ├── ConfigurationError      the operator, at start
    └── IllegalTransition       we: it is a bug

The first line of a class's docstring is its default message.
"""

from enum import StrEnum

from turns.domain.error_codes import Code


class TurnsError(Exception):
    """Something went wrong with a turn."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (type(self).__doc__ or "").partition("\n")[0])


class Refused(TurnsError):
    """The request was refused, and nothing was stored."""

    retry_after_seconds: int | None = None


class InvalidRequest(Refused):
    """The request is not valid.

    `field` is the path of what is wrong, as the caller spelt it; the message states the rule.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class Unauthenticated(Refused):
    """This service asks for a key: Authorization: Bearer inturn_…"""


class Forbidden(Refused):
    """This key does not allow that."""


class TurnNotFound(Refused):
    """There is no such turn."""


class TurnExpired(Refused):
    """This turn ended, and the time for which results are kept has passed."""


class TurnNotFailed(Refused):
    """Only a failed turn can be tried again."""


class SessionNotFound(Refused):
    """There is no such session."""


class AssistantNotFound(Refused):
    """There is no such assistant."""


class WorkerNotFound(Refused):
    """There is no such worker, or it does not live."""


class CountChanged(Refused):
    """They are not as many as was said any more."""

    def __init__(self, count: int) -> None:
        super().__init__(f"There are {count} of them now; nothing was done. Look again, and say how many you mean.")


class SessionBusy(Refused):
    """The session has a live turn, and this request does not wait for its end."""


class SessionNotEmpty(Refused):
    """The session has other messages already. Import into a new one, or delete this one first."""


class IdempotencyKeyReused(Refused):
    """This Idempotency-Key was already used with a different request."""


class SessionBacklogFull(Refused):
    """Too many turns of this session are waiting."""

    retry_after_seconds = 5


class TenantBacklogFull(Refused):
    """Too many turns of this tenant are waiting."""

    retry_after_seconds = 5


class RateLimited(Refused):
    """This tenant submits more turns than it may."""

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__()
        self.retry_after_seconds = retry_after_seconds


class TokensSpent(RateLimited):
    """This tenant's tokens for this day are used up, or reserved for turns that are on their way."""


class Overloaded(Refused):
    """Too many turns are waiting."""

    retry_after_seconds = 5


class IntakePaused(Refused):
    """This service accepts nothing at the moment."""

    retry_after_seconds = 10


class StreamsFull(Refused):
    """Too many streams are open here. Wait for the turn with ?wait= instead, or come again."""

    retry_after_seconds = 5


class LeaseLost(TurnsError):
    """Another owner has this turn now, or it has ended: this run must stop and write nothing."""


class ModelErrorKind(StrEnum):
    RETRYABLE = "retryable"  # likely to pass by itself; costs an attempt
    RATE_LIMITED = "rate_limited"  # the provider said when to come back; costs no attempt
    HOPELESS = "hopeless"  # the same request can only fail again


class ModelError(TurnsError):
    """The model gave no usable answer.

    `code` is one of the stable codes of `codes.Code`. `retry_after_seconds` is what the provider
    asked for, or None. The message is for the log alone: it may hold the provider's own text.
    """

    def __init__(
        self,
        code: Code,
        kind: ModelErrorKind,
        *,
        message: str = "",
        retry_after_seconds: float | None = None,
    ) -> None:
        super().__init__(message or code)
        self.code = code
        self.kind = kind
        self.retry_after_seconds = retry_after_seconds


class HistoryUnusable(TurnsError):
    """A session's history is there, and is no history."""


class StoreUnavailable(TurnsError):
    """The store cannot be reached, or refuses to write.

    `refused`: it said so itself, and wrote nothing. Else the answer may have been lost after the write.
    """

    def __init__(self, message: str = "", *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class ConfigurationError(TurnsError):
    """The configuration is not usable. The message is a readable list of what to change."""


class IllegalTransition(TurnsError):
    """A transition was asked for that the table in `state.py` does not have."""
