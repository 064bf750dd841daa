"""Do the same in several partitions at once, so that one that is away does not delay the others."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable

T = TypeVar("T")


def call_each(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Return the results of these calls, in their order. Raises what any of them raises, after all have ended."""
    return [_result(outcome) for outcome in attempt_each(calls)]


def call_available(calls: Sequence[Callable[[], T]]) -> list[T]:
    """Likewise, but leave out and log partitions that are away. Raises `StoreUnavailable` if all are."""
    outcomes = attempt_each(calls)
    away = [outcome for outcome in outcomes if isinstance(outcome, StoreUnavailable)]
    if len(away) == len(outcomes) and away:
        raise away[0]
    if away:
        get_logger().warning(Log.STORE_UNAVAILABLE, error=f"partitions away: {len(away)}; {away[0]}")
    return [outcome for outcome in outcomes if not isinstance(outcome, StoreUnavailable)]


def attempt_each(calls: Sequence[Callable[[], T]]) -> list[T | StoreUnavailable]:
    """Return the result of each call, or that its partition is away. Raises any other exception."""
    if len(calls) == 1:
        return [_attempt(calls[0])]
    outcomes: dict[int, T | StoreUnavailable | Exception] = {}

    def run(number: int, call: Callable[[], T]) -> None:
        try:
            outcomes[number] = _attempt(call)
        except Exception as error:  # raised again in the caller's thread
            outcomes[number] = error

    threads = [threading.Thread(target=run, args=(number, call)) for number, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [_raise_others(outcomes[number]) for number in range(len(calls))]


def _attempt(call: Callable[[], T]) -> T | StoreUnavailable:
    try:
        return call()
    except StoreUnavailable as error:
        return error


def _raise_others(outcome: T | StoreUnavailable | Exception) -> T | StoreUnavailable:
    if isinstance(outcome, Exception) and not isinstance(outcome, StoreUnavailable):
        raise outcome
    return outcome


def _result(outcome: T | StoreUnavailable) -> T:
    if isinstance(outcome, StoreUnavailable):
        raise outcome
    return outcome
