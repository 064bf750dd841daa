"""Test that a run in a greenlet is interrupted while it waits, and never after its end."""

import threading

import gevent
import pytest

from turns.config.settings import Pool
from worker.run.interrupt import Interrupt, Interrupted, interrupter, offload


class Run:
    """A run in a greenlet that waits, and then writes."""

    def __init__(self) -> None:
        self.is_running = True
        self.ended = ""
        self.interrupt: Interrupt = lambda: None
        self.greenlet = gevent.spawn(self._run)
        gevent.sleep(0)

    def _run(self) -> None:
        self.interrupt = interrupter(Pool.GEVENT)(lambda: self.is_running)
        try:
            gevent.sleep(10)
        except Interrupted:
            self.ended = "interrupted"
            return
        self.ended = "completed"


def test_a_waiting_greenlet_is_interrupted() -> None:
    run = Run()
    run.interrupt()
    run.greenlet.join(5)
    assert run.ended == "interrupted"


def test_a_greenlet_is_interrupted_from_another_thread() -> None:
    run = Run()
    thread = threading.Thread(target=run.interrupt)
    thread.start()
    run.greenlet.join(5)
    thread.join()
    assert run.ended == "interrupted"


def test_a_run_that_has_finished_meanwhile_is_not_interrupted() -> None:
    run = Run()
    run.interrupt()
    run.is_running = False  # between the call and the moment at which the hub would throw
    gevent.sleep(0.01)
    assert run.ended == ""
    assert not run.greenlet.dead
    run.greenlet.kill()


def test_in_the_thread_pool_an_interrupt_does_nothing() -> None:
    interrupter(Pool.THREADS)(lambda: True)()


@pytest.mark.parametrize(("pool", "is_other_thread"), [(Pool.GEVENT, True), (Pool.THREADS, False)])
def test_disk_work_runs_in_a_real_thread_under_gevent(pool: Pool, is_other_thread: bool) -> None:
    thread = offload(pool)(threading.get_ident)
    assert (thread != threading.get_ident()) is is_other_thread
