"""Test that long work leaves the event loop free."""

import threading

import gevent
import pytest

from web.http.threads import run_in_thread


def test_greenlets_go_on_while_work_runs_in_a_thread() -> None:
    is_free = threading.Event()
    gevent.spawn(is_free.set)

    def work() -> int:
        assert is_free.wait(5), "no greenlet ran meanwhile"
        return threading.get_ident()

    assert run_in_thread(work) != threading.get_ident()


def test_an_exception_is_raised_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError):
        run_in_thread(lambda: 1 // 0)
    assert capfd.readouterr().err == ""
