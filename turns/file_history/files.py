"""Histories in the files of LangChain's `FileChatMessageHistory`.

A file is a JSON array, `DIR/<user or ->/<session>.json`. The directory of a user of another tenant than the default one
is `DIR/@<tenant>/<user or ->`. Ids are escaped as in Redis. One of more than 200 characters is split: its first part is
a directory, and the further parts in it have names that begin with `+`.

A version that is not committed yet is a file beside it, named `<session>.json.<token>` after the token of its claim. A
late worker therefore writes to a name that no record refers to, and damages nothing.
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
from turns.domain.ids import DEFAULT_TENANT

VERSION_NAME = re.compile(r"(.+)\.json\.([0-9a-f]{32})")
TENANT_PREFIX = "@"  # of a tenant's directory; not allowed in a user id, so a user cannot have the same directory
PART_CHARACTERS = 200  # with the suffix of a version, less than the 255 bytes that a file name can have
PART_PREFIX = "+"  # of the further parts of a long id; neither a plain nor an escaped id contains it
ESCAPED_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._~%-]+")
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK  # without O_NONBLOCK, opening a pipe would block
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class HistoryFiles:
    """The files below one directory. Every method raises `OSError`, and `ValueError` for a bad session."""

    def __init__(self, directory: Path) -> None:
        self._root = directory

    def prepare(self) -> None:
        """Create the directory. Raises `ConfigurationError` if it is not writable or if names ignore case."""
        probe = self._root / ".case"
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe.touch()
            ignores_case = (self._root / ".CASE").exists()
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(f"INTURN_HISTORY: {self._root} cannot be written: {error}") from error
        if ignores_case:
            raise ConfigurationError(
                f"INTURN_HISTORY: file names in {self._root} ignore case, so the sessions a and A would share one"
            )

    def read_messages(self, session: str, version: str = "") -> list[bytes] | None:
        """Return the messages of this version or else of the published one, oldest first; None without a file.

        Raises `HistoryUnusable` for a file that is not a JSON array.
        """
        *_, name = _path_of(session)
        for candidate in ([f"{name}.{version}"] if version else []) + [name]:
            with (
                suppress(FileNotFoundError),
                self._open_directory(session) as directory,
                open(os.open(candidate, READ_FLAGS, dir_fd=directory), "rb") as file,
            ):
                return _parse_items(file.read())
        return None

    def stage(self, session: str, version: str, messages: Sequence[bytes | str]) -> None:
        """Write a version to the disk without publishing it. After an `OSError` its file does not exist."""
        name = f"{_path_of(session)[-1]}.{version}"
        text = b"[" + b",\n".join(m.encode() if isinstance(m, str) else m for m in messages) + b"]\n"
        with self._open_directory(session, create=True) as directory:
            try:
                with open(os.open(name, CREATE_FLAGS, 0o600, dir_fd=directory), "wb") as file:
                    file.write(text)
                    file.flush()
                    os.fsync(file.fileno())
                os.fsync(directory)
            except OSError:
                with suppress(OSError):
                    os.unlink(name, dir_fd=directory)
                raise

    def publish(self, session: str, version: str) -> None:
        """Rename a committed version to the session's file, unless another process has already done so."""
        *_, name = _path_of(session)
        with suppress(FileNotFoundError), self._open_directory(session) as directory:
            os.rename(f"{name}.{version}", name, src_dir_fd=directory, dst_dir_fd=directory)

    def discard(self, session: str, version: str) -> None:
        """Delete a version that will not be committed."""
        with suppress(FileNotFoundError), self._open_directory(session) as directory:
            os.unlink(f"{_path_of(session)[-1]}.{version}", dir_fd=directory)

    def list_files(self, session: str) -> dict[str, int]:
        """Return the inode of each file of a session by name, without directories."""
        *_, name = _path_of(session)
        session_id = name.removesuffix(".json")
        with suppress(FileNotFoundError, HistoryUnusable), self._open_directory(session) as directory:
            names = [n for n in os.listdir(directory) if n == name or _parse_version(n)[0] == session_id]
            found = {name: os.lstat(name, dir_fd=directory) for name in names}
            return {name: status.st_ino for name, status in found.items() if not stat.S_ISDIR(status.st_mode)}
        return {}

    def remove_files(self, session: str, inodes: Mapping[str, int]) -> None:
        """Delete files that `list_files` returned; keep a file that has replaced one of them since then."""
        with suppress(FileNotFoundError, HistoryUnusable), self._open_directory(session) as directory:
            for name, inode in inodes.items():
                with suppress(FileNotFoundError):
                    if os.lstat(name, dir_fd=directory).st_ino == inode:
                        os.unlink(name, dir_fd=directory)

    def find_stale_versions(self, *, older_than_seconds: float) -> Iterator[tuple[str, str]]:
        """Yield session and version of each unpublished file that is older than this."""
        oldest = time.time() - older_than_seconds
        for path in self._root.rglob("*.json.*"):
            session_id, version = _parse_version(path.name)
            with suppress(FileNotFoundError, ValueError):
                if version and stat.S_ISREG(path.lstat().st_mode) and path.lstat().st_mtime < oldest:
                    yield _session_at(path.parent.relative_to(self._root).parts, session_id), version

    @contextmanager
    def _open_directory(self, session: str, *, create: bool = False) -> Iterator[int]:
        """Yield a descriptor of the session's directory, opened without following a link below the root.

        Raises `HistoryUnusable` for a link or another kind of file, as the directory or inside it.
        """
        *directories, _ = _path_of(session)
        descriptor = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in directories:
                if create:
                    with suppress(FileExistsError):
                        os.mkdir(name, 0o700, dir_fd=descriptor)
                        os.fsync(descriptor)
                inner = os.open(name, READ_FLAGS | os.O_DIRECTORY, dir_fd=descriptor)
                os.close(descriptor)
                descriptor = inner
            yield descriptor
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENOTDIR, errno.EISDIR}:
                raise HistoryUnusable(f"the path of the history's file has another kind of file: {error}") from error
            raise
        finally:
            os.close(descriptor)


def _path_of(session: str) -> tuple[str, ...]:
    """Return the directories and the file name of a session. Raises `ValueError` for an invalid session."""
    tenant, user, name = session.split("/") if "/" in session else (DEFAULT_TENANT, "-", session)
    if not all(map(ESCAPED_ID.fullmatch, (tenant, user, name))):
        raise ValueError(f"{session!r} is not a session")
    tenant_directory = () if tenant == DEFAULT_TENANT else (f"{TENANT_PREFIX}{tenant}",)
    return (*tenant_directory, *_parts(user), *_parts(name)[:-1], f"{_parts(name)[-1]}.json")


def _parts(escaped_id: str) -> list[str]:
    """Split an id into names that a file can have."""
    first, *others = (escaped_id[n : n + PART_CHARACTERS] for n in range(0, len(escaped_id), PART_CHARACTERS))
    return [first, *(PART_PREFIX + part for part in others)]


def _session_at(directories: tuple[str, ...], session_id: str) -> str:
    """Return the session whose file is in these directories. Raises `ValueError` for other directories."""
    ids = "/".join((*directories, session_id)).replace(f"/{PART_PREFIX}", "").split("/")
    tenant, user, name = ids if len(ids) == 3 else (f"{TENANT_PREFIX}{DEFAULT_TENANT}", *ids)
    tenant = tenant.removeprefix(TENANT_PREFIX)
    return name if (tenant, user) == (DEFAULT_TENANT, "-") else f"{tenant}/{user}/{name}"


def _parse_version(name: str) -> tuple[str, str]:
    """Return the session id and the version in the file name of a version; both '' for any other name."""
    found = VERSION_NAME.fullmatch(name)
    return (found[1], found[2]) if found else ("", "")


def _parse_items(text: bytes) -> list[bytes]:
    try:
        items = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise HistoryUnusable(f"the file is not JSON: {error}") from error
    if not isinstance(items, list):
        raise HistoryUnusable("the file holds no JSON array")
    return [json.dumps(item).encode() for item in items]
