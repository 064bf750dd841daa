"""Do the same in several partitions at once, so that one that is away does not delay the others."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable

T = TypeVar("T")


def call_each(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of these calls, in their order. Raises what any of them raises, after all have ended."""
    return [_result(outcome) for outcome in _run(calls)]


def call_available(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Likewise, but leave out and log partitions that are away. Raises `StoreUnavailable` if all are."""
    outcomes = _run(calls)
    away = [outcome for outcome in outcomes if isinstance(outcome, StoreUnavailable)]
    if len(away) == len(outcomes) and away:
        raise away[0]
    for error in away:
        get_logger().warning(Log.STORE_UNAVAILABLE, error=str(error))
    return [_result(outcome) for outcome in outcomes if not isinstance(outcome, StoreUnavailable)]


def _result(outcome: T | Exception) -> T:
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _run(calls: Sequence[Callable[[], T]]) -> list[T | Exception]:
    if len(calls) == 1:
        return [_outcome(calls[0])]
    outcomes: dict[int, T | Exception] = {}

    def run(number: int, call: Callable[[], T]) -> None:
        outcomes[number] = _outcome(call)

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [outcomes[number] for number in range(len(calls))]


def _outcome(call: Callable[[], T]) -> T | Exception:
    try:
        return call()
    except Exception as error:  # raised again in the caller's thread
        return error
