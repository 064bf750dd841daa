"""The current assistants of a process, reloaded when their file changes."""

import difflib
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from turns.assistants.loader import AssistantsFile, Check, read_assistants
from turns.assistants.prices import Prices
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT, EXAMPLE, Assistant
from turns.domain.errors import AssistantNotFound, ConfigurationError
from turns.domain.worker_kind import WorkerKind

POLL_SECONDS = 2.0
MAX_LISTED = 20  # names in an error

FileStamp = tuple[int, int, int] | None  # differs for each version of a file; None if there is no file


class AssistantRegistry:
    """The assistants of the configured file; without a file, the two built-in ones."""

    def __init__(self, settings: Settings, *, check: Check = lambda _: None) -> None:
        """Read the file; raise `ConfigurationError` if it has errors, or was configured and does not exist."""
        self._path = settings.assistants
        self._check = check
        self._stamp = _stamp(self._path)
        is_configured = "assistants" in settings.model_fields_set
        self._file = AssistantsFile({built_in.name: built_in for built_in in (DEFAULT, EXAMPLE)})
        if self._stamp or is_configured:
            self._file = read_assistants(self._path, check=check)
        self._permitted = {assistant.resources for assistant in self._file.assistants.values()}
        self._reload_lock = threading.Lock()
        self._checked_at = time.monotonic()

    def find(self, name: str) -> Assistant:
        """Return the assistant of this name; raise `AssistantNotFound` if there is none."""
        assistants = self.all_assistants()
        if name in assistants:
            return assistants[name]
        nearest = difflib.get_close_matches(name, assistants, n=1)
        hint = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(list(assistants)[:MAX_LISTED])}"
        raise AssistantNotFound(f"There is no assistant {name!r}; {hint}")

    def need_worker(self, kind: WorkerKind) -> list[str]:
        """Return the names of the assistants whose turns need a worker of this kind."""
        return [name for name, assistant in self.all_assistants().items() if assistant.worker_kind is kind]

    def all_assistants(self) -> Mapping[str, Assistant]:
        """Return all assistants by name; a change of the file takes effect after a few seconds."""
        if time.monotonic() - self._checked_at > POLL_SECONDS:
            self.reload_if_changed()
        return self._file.assistants

    def prices(self) -> Prices:
        """Return the present prices, without a look at the file, because each run asks for them."""
        return self._file.prices

    def permits(self, assistant: Assistant) -> bool:
        """Return whether the file has named the code, host and key of this version since the process started.

        A version comes from the store, which must not choose the variable that is sent, or to whom.
        """
        if assistant.resources not in self._permitted:
            self.reload_if_changed()
        return assistant.resources in self._permitted

    def reload_if_changed(self) -> None:
        """Read the file if it has changed; if it has errors, log them once and keep the previous assistants."""
        if not self._reload_lock.acquire(blocking=False):
            return  # another thread is checking
        try:
            self._checked_at = time.monotonic()
            stamp = _stamp(self._path)
            if stamp == self._stamp:
                return
            self._stamp = stamp
            self._file = read_assistants(self._path, check=self._check)
            self._permitted |= {assistant.resources for assistant in self._file.assistants.values()}
            get_logger().info(Log.ASSISTANTS_RELOADED, names=sorted(self._file.assistants))
        except ConfigurationError as error:
            get_logger().error(Log.ASSISTANTS_REFUSED, error=str(error))
        finally:
            self._reload_lock.release()


def registry_or_exit(settings: Settings, *, check: Check = lambda _: None) -> AssistantRegistry:
    """Read the assistants; if the file has errors, print them all and exit with code 2."""
    try:
        return AssistantRegistry(settings, check=check)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start; the assistants are wrong:\n{error}\n")
        raise SystemExit(2) from None


def _stamp(path: Path) -> FileStamp:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
