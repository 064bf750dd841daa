"""Run work in real threads, beside the event loop that serves all requests."""

from collections.abc import Callable
from typing import TypeVar, cast

import gevent

T = TypeVar("T")


def run_in_thread(work: Callable[[], T]) -> T:
    """Run long work, such as parsing megabytes or writing a file, while other requests go on.

    `work` must use neither the request nor a connection, because both belong to the calling greenlet.
    """

    def run_and_catch() -> tuple[T | None, Exception | None]:
        try:
            return work(), None
        except Exception as error:  # gevent's thread pool prints each one that is raised, even if handled
            return None, error

    result, error = gevent.get_hub().threadpool.apply(run_and_catch)
    if error is not None:
        raise error
    return cast(T, result)
