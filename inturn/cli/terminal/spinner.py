"""The line that says what a turn waits for, until its first word comes."""

from types import TracebackType
from typing import TYPE_CHECKING, Self

from inturn.cli.terminal.output import Terminal, console
from inturn.values import Queue, Status

if TYPE_CHECKING:
    from rich.status import Status as Spinner


class WaitingLine:
    """Drawn on a terminal, and gone when it ends; elsewhere it is never there."""

    def __init__(self, terminal: Terminal) -> None:
        self._is_shown = terminal.shows_talk
        self._spinner: Spinner | None = None

    def show(self, text: str) -> None:
        if not self._is_shown:
            return
        if self._spinner is None:
            self._spinner = console(for_talk=True).status(text, spinner="dots")
            self._spinner.start()
        self._spinner.update(text)

    def end(self) -> None:
        if self._spinner:
            self._spinner.stop()
            self._spinner = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.end()


def in_words(status: Status, queue: Queue | None) -> str:
    if queue is None:
        return {"queued": "Accepted", "in_progress": "The model is asked"}.get(status, status)
    match queue.waiting_for:
        case "turn":
            before = queue.position - 1
            return "Waits for the turn before it" if before == 1 else f"Waits for {before} turns before it"
        case "retry":
            at = f" at {queue.retry_at.astimezone():%H:%M:%S}" if queue.retry_at else ""
            return f"The model could not answer; it is asked again{at}"
        case _:
            return "Waits for a worker"
