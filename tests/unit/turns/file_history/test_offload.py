from collections.abc import Callable

import pytest

from turns.domain.errors import HistoryUnusable
from turns.file_history.offload import DiskUnavailable, run_disk_io


def raising(error: Exception) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


class Thread:
    """An `offload` that counts the exceptions which leave the work, as gevent's thread pool would print them."""

    raised = 0

    def __call__(self, work: Callable[[], object]) -> object:
        try:
            return work()
        except BaseException:
            self.raised += 1
            raise


def test_the_result_of_the_work_is_returned() -> None:
    assert run_disk_io(lambda: [b"a"], Thread()) == [b"a"]


@pytest.mark.parametrize(
    ("error", "kind"), [(OSError(5, "Input/output error"), DiskUnavailable), (HistoryUnusable("bad"), HistoryUnusable)]
)
def test_an_expected_error_is_raised_outside_of_the_thread(error: Exception, kind: type[Exception]) -> None:
    thread = Thread()
    with pytest.raises(kind, match=str(error.args[-1])):
        run_disk_io(raising(error), thread)
    assert thread.raised == 0


def test_a_bug_is_raised_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        run_disk_io(lambda: 1 // 0, Thread())
