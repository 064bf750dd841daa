"""The watchdog: ends a process whose gevent loop stands still, so that its supervisor starts another one.

A chain that blocks its operating-system thread (a lock, a C extension, `multiprocessing`) stops all runs of the process
for ever, while the renewal thread keeps their leases. The watchdog is a real thread that asks the loop for an answer
again and again. C code that holds the interpreter's lock stops this thread too; then a timer of `faulthandler`, which
needs no lock, ends the process.
"""

import contextlib
import faulthandler
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Protocol

from gevent.monkey import get_original

from turns.config.logs import Log, get_logger
from turns.domain.errors import StoreUnavailable
from turns.domain.run.claim import Claim
from worker.run.active_runs import ActiveRuns

STALLED_EXIT_CODE = 70  # EX_SOFTWARE of <sysexits.h>
CHECKS = 10  # unanswered ones within the stall time
BACKSTOP_FACTOR = 3  # share of the stall time; the timer counts the seconds of a suspended process, the checks do not
LAST_SECONDS = 3  # for the log line and for releasing the turns

original_sleep: Callable[[float], None] = get_original("time", "sleep")


class Watchdog:
    """A thread that calls `end` when the loop has not answered for the stall time.

    It counts checks rather than seconds, so that a suspended process is not ended when it continues.
    """

    def __init__(
        self,
        *,
        stall_seconds: float,
        call_in_loop: Callable[[Callable[[], None]], object],
        end: Callable[[], None],
        beat_file: str = "",
        sleep: Callable[[float], None] = original_sleep,
    ) -> None:
        """`call_in_loop` lets the loop call a function soon. `beat_file` is touched as long as the loop answers."""
        self._stall_seconds = stall_seconds
        self._call_in_loop = call_in_loop
        self._end = end
        self._beat_file = beat_file
        self._sleep = sleep
        self._has_answered = True
        self._unanswered = 0
        self._is_stopped = False

    def start(self) -> None:
        """Start the thread."""
        get_original("_thread", "start_new_thread")(self._run, ())

    def stop(self) -> None:
        """Start no further check."""
        self._is_stopped = True

    def check(self) -> None:
        """Touch the heartbeat file if the loop has answered since the last check; end the process if it is stalled."""
        if self._has_answered:
            self._unanswered = 0
            self._beat()
        else:
            self._unanswered += 1
        if self._unanswered >= CHECKS:
            self._end()
        self._has_answered = False
        self._call_in_loop(self._answer)

    def _answer(self) -> None:
        self._has_answered = True

    def _beat(self) -> None:
        with contextlib.suppress(OSError):  # the probe of the file then fails, which is what it is for
            if self._beat_file:
                Path(self._beat_file).touch()

    def _run(self) -> None:
        while not self._is_stopped:
            faulthandler.dump_traceback_later(BACKSTOP_FACTOR * self._stall_seconds, exit=True)
            self.check()
            self._sleep(self._stall_seconds / CHECKS)
        faulthandler.cancel_dump_traceback_later()


class Releasing(Protocol):
    """A store that can be used outside of the loop."""

    def release(self, claims: Sequence[Claim]) -> None: ...


class StalledProcess:
    """Ends this process from the watchdog's thread. Create it in the loop's thread."""

    def __init__(
        self, active_runs: ActiveRuns, store: Releasing | None, *, exit_process: Callable[[int], object] = os._exit
    ) -> None:
        """Without a store, the turns are rescued when their leases run out."""
        self._active_runs = active_runs
        self._store = store
        self._exit_process = exit_process
        self._loop_thread: int = get_original("_thread", "get_ident")()

    def end(self) -> None:
        """Log where each thread stands, release the turns that did not block the loop, and exit.

        The turn that blocks the loop is taken over by another worker, which counts as a lost run.
        """
        signal.alarm(LAST_SECONDS)  # ends the process if standard error or the store blocks this thread too
        frames = sys._current_frames()
        blocking = self._active_runs.run_of(frames[self._loop_thread])
        threads = [_describe(frame) for thread, frame in frames.items() if thread != self._loop_thread]
        turn_id = blocking.claim.turn_id if blocking else None
        loop = _describe(frames[self._loop_thread])
        get_logger().error(Log.WORKER_STALLED, turn_id=turn_id, stack=loop, other_threads=threads)
        with contextlib.suppress(StoreUnavailable):
            if self._store and blocking:
                self._store.release([claim for claim in self._active_runs.claims() if claim is not blocking.claim])
        self._exit_process(STALLED_EXIT_CODE)


def _describe(frame: FrameType) -> list[str]:
    """Return the code locations of a stack, outermost first, without source lines or values."""
    summary = traceback.StackSummary.extract(traceback.walk_stack(frame), lookup_lines=False)
    return [f"{entry.filename}:{entry.lineno} {entry.name}" for entry in reversed(summary)]
