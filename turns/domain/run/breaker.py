"""Recognise that a model does not answer, from the results that one worker process sees, without I/O."""

from collections import defaultdict

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind

# Statuses with which a provider, or the proxy before it, says that it is not there at all.
UNAVAILABLE_STATUSES = frozenset({502, 503, 504, 529})

OUTAGE_CODES = frozenset(
    {Code.INCOMPLETE_ANSWER, Code.PROVIDER_ERROR, Code.PROVIDER_TIMEOUT, Code.PROVIDER_UNREACHABLE}
)

# Errors that only an answer of the provider can cause, even if it rejects the request. Errors of a chain or a worker
# are not among them, because they say nothing about the provider.
ANSWER_CODES = frozenset(
    {
        Code.CONTENT_FILTERED,
        Code.CONTEXT_TOO_LONG,
        Code.OUTPUT_INVALID,
        Code.PROVIDER_AUTHENTICATION,
        Code.PROVIDER_MODEL_NOT_FOUND,
        Code.PROVIDER_PROTOCOL,
        Code.PROVIDER_QUOTA,
        Code.PROVIDER_REJECTED,
    }
)


def is_provider_failure(error: ModelError) -> bool:
    """Return whether any turn could have met this error; an answer that takes too long is the turn's own."""
    return error.code in OUTAGE_CODES and error.kind in {ModelErrorKind.RETRYABLE, ModelErrorKind.SILENT}


class Breaker:
    """Counts the failures in a row of each model.

    It only opens. The store decides for all workers which turn tries the model again, and when the others follow.
    """

    def __init__(self, *, max_failures: int, max_attempts: int) -> None:
        self._max_failures = max_failures
        self._max_attempts = max_attempts
        self._failures: defaultdict[str, int] = defaultdict(int)
        self._answered: set[str] = set()

    def record_answer(self, model: str) -> None:
        """Record that the provider has answered, even if only to reject a request."""
        self._failures[model] = 0
        self._answered.add(model)

    def record_failure(self, model: str) -> None:
        self._failures[model] += 1

    def is_open(self, model: str, error: ModelError, *, attempt: int, concurrent_failures: int = 0) -> bool:
        """Return whether the model is down; `concurrent_failures` happened, but are not recorded yet.

        A turn alone cannot fail often enough in a row. Its last attempt opens the breaker if the model has answered
        before, has answered no turn since, and reports itself that it is unavailable.
        """
        failures = self._failures[model]
        if failures + concurrent_failures >= self._max_failures:
            return True
        is_last = attempt >= self._max_attempts and failures >= attempt
        return is_last and model in self._answered and _is_unavailable(error)


def _is_unavailable(error: ModelError) -> bool:
    return error.code is Code.PROVIDER_UNREACHABLE or error.provider_status in UNAVAILABLE_STATUSES
