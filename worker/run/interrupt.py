"""Interrupt a run from outside, as far as Celery's pool can do that."""

from collections.abc import Callable

import gevent

from turns.config.settings import Pool

Interrupt = Callable[[], None]

# Called inside a run. Returns a function that interrupts this run from any thread, if it is still running then.
Interrupter = Callable[[Callable[[], bool]], Interrupt]


class Interrupted(BaseException):
    """Raised inside a run that must stop. Not an Exception, so that no library on the way handles it."""


STOPS = (Interrupted, gevent.GreenletExit)  # raised inside a run by this module, or by the pool


def interrupter(pool: Pool) -> Interrupter:
    """Return how runs are interrupted in this pool."""
    return _for_greenlet if pool is Pool.GEVENT else _for_thread


def offload(pool: Pool) -> Callable[[Callable[[], object]], object]:
    """Return how to call a function that waits for a disk.

    Under gevent it runs in a real thread, because in a greenlet it would block all runs of the process.
    """
    return gevent.get_hub().threadpool.apply if pool is Pool.GEVENT else lambda work: work()


def call_in_loop(pool: Pool) -> Callable[[Callable[[], None]], object]:
    """Return how a real thread lets the loop of this thread call a function; without a loop it is called at once."""
    if pool is not Pool.GEVENT:
        return lambda function: function()
    call: Callable[[Callable[[], None]], object] = gevent.get_hub().loop.run_callback_threadsafe
    return call


def _for_greenlet(is_running: Callable[[], bool]) -> Interrupt:
    greenlet, loop = gevent.getcurrent(), gevent.get_hub().loop

    def throw() -> None:
        # Runs in the hub, so that the run cannot finish between the check and the throw.
        if is_running():
            greenlet.throw(Interrupted)

    return lambda: loop.run_callback_threadsafe(throw)


def _for_thread(is_running: Callable[[], bool]) -> Interrupt:
    """Do nothing: a blocked thread cannot be interrupted. Its run calls `ActiveRun.check` at its next delta."""
    return lambda: None
