"""Stopping a run from outside, as far as Celery's pool can do that."""

from collections.abc import Callable

import gevent

from turns.config.settings import Pool

Interrupt = Callable[[], None]

# Called inside a run; gives what stops that run from any thread, if it is still wanted at that moment.
Interrupter = Callable[[Callable[[], bool]], Interrupt]


class Interrupted(BaseException):
    """Thrown into a run that must stop; not an Exception, so that no library on its way handles it."""


STOPS = (Interrupted, gevent.GreenletExit)  # what is thrown into a run, by us or by the pool


def interrupter(pool: Pool) -> Interrupter:
    return _of_a_greenlet if pool is Pool.GEVENT else _of_a_thread


def offload(pool: Pool) -> Callable[[Callable[[], object]], object]:
    """Does work that waits for a disk: under gevent in a real thread, for in a greenlet all runs would wait with it."""
    return gevent.get_hub().threadpool.apply if pool is Pool.GEVENT else lambda work: work()


def _of_a_greenlet(wanted: Callable[[], bool]) -> Interrupt:
    greenlet, loop = gevent.getcurrent(), gevent.get_hub().loop

    def throw() -> None:
        # In the hub, where no run can pass from wanted to unwanted between the question and the throw.
        if wanted():
            greenlet.throw(Interrupted)

    return lambda: loop.run_callback_threadsafe(throw)


def _of_a_thread(wanted: Callable[[], bool]) -> Interrupt:
    """A blocked thread cannot be stopped; its run notices at its next piece."""
    return lambda: None
