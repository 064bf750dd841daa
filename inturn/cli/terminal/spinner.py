"""A spinner on stderr that shows what a turn waits for until the first piece of its answer."""

from typing import TYPE_CHECKING, Self

from inturn.cli.terminal.output import Terminal, console

if TYPE_CHECKING:
    from rich.status import Status


class Spinner:
    """Shown only if stderr is a terminal; removed at the end of the `with` block."""

    def __init__(self, terminal: Terminal) -> None:
        self._is_enabled = terminal.stderr_is_terminal
        self._status: Status | None = None

    def show(self, text: str) -> None:
        if not self._is_enabled:
            return
        if self._status is None:
            self._status = console(stderr=True).status(text, spinner="dots")
            self._status.start()
        self._status.update(text)

    def stop(self) -> None:
        if self._status:
            self._status.stop()
            self._status = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
