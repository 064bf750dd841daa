"""`python -m supervisor`: run everything on one machine until Ctrl-C."""

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType

from supervisor.machine import Machine, Stop
from turns.config.environment import settings_or_exit
from turns.domain.errors import ConfigurationError


def main() -> int:
    is_stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        is_stopping.set()
        raise Stop

    settings = settings_or_exit()
    _on_signals(stop)
    machine = None
    try:
        machine = Machine(settings, is_stopping)
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
