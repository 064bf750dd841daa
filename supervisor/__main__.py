"""`python -m supervisor`: run everything on one machine until Ctrl-C."""

import signal
import sys
from collections.abc import Callable
from types import FrameType

from supervisor.machine import Machine
from turns.config.environment import settings_or_exit
from turns.domain.errors import ConfigurationError


class Stop(Exception):
    """Raised by the signals of Ctrl-C, of a closed terminal and of `kill`."""


def main() -> int:
    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise Stop

    settings = settings_or_exit()
    _on_signals(stop)
    machine = None
    try:
        machine = Machine(settings)
        machine.start()
        machine.run()
    except Stop:
        return 0
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        return 2
    finally:
        if machine:
            _stop(machine)


def _stop(machine: Machine) -> None:
    try:
        machine.stop_services()
    except Stop:
        _on_signals(signal.SIG_IGN)
        machine.kill_services()
    _on_signals(signal.SIG_IGN)  # another Ctrl-C must not interrupt the store during its last writes
    machine.stop_store()


def _on_signals(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, handler)


if __name__ == "__main__":
    sys.exit(main())
