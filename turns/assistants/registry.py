"""The assistants that a process knows now. It looks at their file every few seconds, so nothing is started again."""

import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from turns.assistants.loader import Check, read_assistants
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, Assistant
from turns.domain.errors import AssistantNotFound, ConfigurationError

POLL_SECONDS = 2.0

# What tells one version of a file from the next; None: there is no file.
Mark = tuple[int, int, int] | None


class AssistantRegistry:
    def __init__(self, settings: Settings, *, check: Check = lambda _: None) -> None:
        """Raises `ConfigurationError` where there is a file and it is wrong, or one was named and there is none."""
        self._path = settings.assistants
        self._check = check
        self._mark = _mark(self._path)
        is_named = "assistants" in settings.model_fields_set
        self._assistants: Mapping[str, Assistant] = {DEFAULT.name: DEFAULT}
        if self._mark or is_named:
            self._assistants = read_assistants(self._path, check=check)
        self._looking = threading.Lock()
        self._looked_at = time.monotonic()

    def find(self, name: str) -> Assistant:
        """Raises `AssistantNotFound`."""
        try:
            return self.all_assistants()[name]
        except KeyError:
            raise AssistantNotFound from None

    def all_assistants(self) -> Mapping[str, Assistant]:
        """All of them, by name, as their file said some seconds ago at most."""
        if time.monotonic() - self._looked_at > POLL_SECONDS:
            self.reload_if_changed()
        return self._assistants

    def reload_if_changed(self) -> None:
        """What the file says now is known; where that is wrong, the log says so once, and what was known stays."""
        if not self._looking.acquire(blocking=False):
            return  # somebody else looks
        try:
            self._looked_at = time.monotonic()
            mark = _mark(self._path)
            if mark == self._mark:
                return
            self._mark = mark
            self._assistants = read_assistants(self._path, check=self._check)
            get_logger().info(Log.ASSISTANTS_RELOADED, names=sorted(self._assistants))
        except ConfigurationError as error:
            get_logger().error(Log.ASSISTANTS_REFUSED, error=str(error))
        finally:
            self._looking.release()


def registry_or_exit(settings: Settings, *, check: Check = lambda _: None) -> AssistantRegistry:
    """For entry points: a wrong file ends the process with code 2 and a list of what to change."""
    try:
        return AssistantRegistry(settings, check=check)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start; the assistants are wrong:\n{error}\n")
        raise SystemExit(2) from None


def _mark(path: Path) -> Mark:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
