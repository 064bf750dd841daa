"""Histories as files, as LangChain's `FileChatMessageHistory` has them: a JSON array, `DIR/<user or ->/<session>.json`.

A version that is not committed yet stands beside it, as `<session>.json.<token of its claim>`. Whoever comes late
writes to a name of its own, which nothing refers to: so it can spoil nothing.
"""

import errno
import json
import os
import re
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from turns.domain.errors import ConfigurationError, HistoryUnusable
from turns.domain.ids import DEFAULT_TENANT, is_name, session_key

VERSION = re.compile(r"(.+)\.json\.([0-9a-f]{32})")
TENANT = "@"  # begins a tenant's directory; no id has it, so no user is taken for a tenant
READABLE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # a pipe in its place is not waited for
DIRECTORY = READABLE | os.O_DIRECTORY


class HistoryFiles:
    def __init__(self, directory: Path) -> None:
        self._root = directory

    def prepare(self) -> None:
        """The directory is there, and tells `a` from `A`. Raises `ConfigurationError`."""
        probe = self._root / ".case"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe.touch()
            is_blind = (self._root / ".CASE").exists()
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(f"INTURN_HISTORY: {self._root} cannot be written: {error}") from error
        if is_blind:
            raise ConfigurationError(
                f"INTURN_HISTORY: the file system of {self._root} does not tell a from A, so sessions would share files"
            )

    def read_messages(self, session: str, version: str = "") -> list[bytes] | None:
        """The stored messages of this version, or of the published one, oldest first; None: there is no file.

        Raises `HistoryUnusable`, `OSError`.
        """
        *_, name = _place(session)
        for found in ([f"{name}.{version}"] if version else []) + [name]:
            with (
                suppress(FileNotFoundError),
                self._opened(session) as directory,
                open(os.open(found, READABLE, dir_fd=directory), "rb") as file,
            ):
                return _items(file.read())
        return None

    def stage(self, session: str, version: str, messages: Sequence[bytes | str]) -> None:
        """This version is on disk, and not published. Raises `OSError`; then it is not there."""
        name = f"{_place(session)[-1]}.{version}"
        text = b"[" + b",\n".join(m.encode() if isinstance(m, str) else m for m in messages) + b"]\n"
        with self._opened(session, make=True) as directory:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            try:
                with open(os.open(name, flags, 0o600, dir_fd=directory), "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.fsync(directory)
            except OSError:
                with suppress(OSError):
                    os.unlink(name, dir_fd=directory)
                raise

    def publish(self, session: str, version: str) -> None:
        """The committed version is what others read, also if somebody else has published it meanwhile."""
        *_, name = _place(session)
        with suppress(FileNotFoundError), self._opened(session) as directory:
            os.rename(f"{name}.{version}", name, src_dir_fd=directory, dst_dir_fd=directory)

    def discard(self, session: str, version: str) -> None:
        """A version that will never be committed is gone."""
        with suppress(FileNotFoundError), self._opened(session) as directory:
            os.unlink(f"{_place(session)[-1]}.{version}", dir_fd=directory)

    def seen(self, session: str) -> dict[str, int]:
        """All files of a session, by name, with what tells each from a later one of that name; no directories."""
        *_, name = _place(session)
        with suppress(FileNotFoundError, HistoryUnusable), self._opened(session) as directory:
            mine = [n for n in os.listdir(directory) if n == name or (_version(n) or ("",))[0] == session_id(session)]
            found = {name: os.lstat(name, dir_fd=directory) for name in mine}
            return {name: status.st_ino for name, status in found.items() if not stat.S_ISDIR(status.st_mode)}
        return {}

    def remove(self, session: str, seen: Mapping[str, int]) -> None:
        """These are gone; what was written in their place since then is not touched."""
        with suppress(FileNotFoundError, HistoryUnusable), self._opened(session) as directory:
            for name, inode in seen.items():
                with suppress(FileNotFoundError):
                    if os.lstat(name, dir_fd=directory).st_ino == inode:
                        os.unlink(name, dir_fd=directory)

    def left_over(self, *, older_than_seconds: float) -> Iterator[tuple[str, str]]:
        """Versions that were staged so long ago and are not published, as session and version."""
        oldest = time.time() - older_than_seconds
        for path in self._root.rglob("*.json.*"):
            found, directory = _version(path.name), path.parent.relative_to(self._root).parts
            with suppress(FileNotFoundError, ValueError):
                if found and stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_mtime < oldest:
                    yield _session(directory, found[0]), found[1]

    @contextmanager
    def _opened(self, session: str, *, make: bool = False) -> Iterator[int]:
        """The session's directory, reached without following a link below the root.

        Raises `HistoryUnusable` for a link or a file in its place, there or inside.
        """
        *directories, _ = _place(session)
        at = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in directories:
                if make:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=at)
                        os.fsync(at)
                inner = os.open(name, DIRECTORY, dir_fd=at)
                os.close(at)
                at = inner
            yield at
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR}:
                raise HistoryUnusable(f"in the place of the history's file is something else: {error}") from error
            raise
        finally:
            os.close(at)


def session_id(session: str) -> str:
    return session.rpartition("/")[2]


def _place(session: str) -> tuple[str, ...]:
    """The directories and the file of a session. Raises `ValueError` for what no session is called."""
    tenant, user, name = session.split("/") if "/" in session else (DEFAULT_TENANT, "-", session)
    if not all(is_name(part) or part == "-" for part in (tenant, user)) or not is_name(name):
        raise ValueError(f"{session!r} is no session")
    of_tenant = () if tenant == DEFAULT_TENANT else (f"{TENANT}{tenant}",)
    return (*of_tenant, user, f"{name}.json")


def _session(directories: tuple[str, ...], name: str) -> str:
    """Whose file stands there. Raises `ValueError` where none of ours does."""
    tenant, user = directories if len(directories) == 2 else (f"{TENANT}{DEFAULT_TENANT}", *directories)
    return session_key(name, None if user == "-" else user, tenant.removeprefix(TENANT))


def _version(name: str) -> tuple[str, str] | None:
    """The session id and the version in a file's name, if it is that of a version."""
    found = VERSION.fullmatch(name)
    return (found[1], found[2]) if found else None


def _items(text: bytes) -> list[bytes]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HistoryUnusable(f"the file is not JSON: {error}") from error
    if not isinstance(items, list):
        raise HistoryUnusable("the file holds no JSON array")
    return [json.dumps(item).encode() for item in items]
