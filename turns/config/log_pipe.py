"""A pipe as the output of the logs: lines are dropped, and counted, while its reader does not read."""

import fcntl
import os
import stat
from contextlib import suppress
from typing import TextIO

PIPE_BYTES = 1024 * 1024  # what Linux allows to every user: about 4,000 lines, more than a second of the busiest worker


class LogPipe:
    """Writes to a pipe without ever waiting for its reader, which would stop all turns of a process.

    The pipe is opened again, because the mode of the descriptor that this process has is shared with other processes.
    """

    def __init__(self, path: str) -> None:
        """Open the pipe again; raise `OSError` if that is not possible."""
        self._descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        with suppress(OSError, AttributeError):  # where the system has a lower limit, or none to set
            fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._is_cut = False  # the last line was written in part
        self.dropped_lines = 0

    def write(self, text: str) -> None:
        data = ("\n" if self._is_cut else "").encode() + text.encode(errors="backslashreplace")
        try:
            written = os.write(self._descriptor, data)
        except BlockingIOError:
            self.dropped_lines += 1
            return
        self._is_cut = written < len(data)
        self.dropped_lines += self._is_cut

    def flush(self) -> None:
        """Do nothing: there is no buffer."""


def open_log(stream: TextIO) -> "TextIO | LogPipe":
    """Return the stream, or a `LogPipe` if it is a pipe that can be opened again, as on Linux."""
    with suppress(OSError, ValueError, AttributeError):
        descriptor = stream.fileno()
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            return LogPipe(f"/proc/self/fd/{descriptor}")
    return stream
