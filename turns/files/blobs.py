"""The bytes of uploaded files, by file id, in a directory or another place."""

import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, Protocol

from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, FileTypeRefused

IDENTITY = ".id"
CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


class BlobMissing(Exception):
    """There are no bytes under this id."""


class Blobs(Protocol):
    """A place for bytes. Every method blocks, and raises `OSError` if the place cannot be used.

    `waits_for_disk`: gevent cannot run other greenlets meanwhile, so callers need a thread.
    """

    waits_for_disk: bool

    def prepare(self) -> None:
        """Check that files can be stored. Raises `ConfigurationError`."""

    def read_identity(self) -> str:
        """Return a text that is equal for the processes that see the same files, or "" if none can be stored."""

    def write(self, file_id: str, content: bytes) -> None:
        """Store the bytes; they survive a crash of the machine once this returns."""

    def open(self, file_id: str) -> BinaryIO:
        """Return a stream of the bytes. Raises `BlobMissing`."""

    def delete(self, file_id: str) -> None:
        """Delete the bytes, if there are any."""


class NoBlobs:
    """The place of a service that takes no uploads."""

    waits_for_disk = False

    def prepare(self) -> None:
        pass

    def read_identity(self) -> str:
        return ""

    def write(self, file_id: str, content: bytes) -> None:
        raise FileTypeRefused("This service takes no files.")

    def open(self, file_id: str) -> BinaryIO:
        raise BlobMissing(file_id)

    def delete(self, file_id: str) -> None:
        pass


class DirectoryBlobs:
    """A file for each id, in one of 256 directories, so that no directory becomes large."""

    waits_for_disk = True

    def __init__(self, root: Path) -> None:
        self._root = root

    def prepare(self) -> None:
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            probe = self._root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise ConfigurationError(f"INTURN_FILES: {self._root} cannot be written: {error}") from error

    def read_identity(self) -> str:
        """Return the random id in the directory, which the first process writes."""
        path = self._root / IDENTITY
        try:
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            with suppress(FileExistsError), open(os.open(path, CREATE_FLAGS, 0o600), "w") as file:
                file.write(secrets.token_hex(8))
            return path.read_text(encoding="utf-8")
        except OSError:
            return ""

    def write(self, file_id: str, content: bytes) -> None:
        path = self.path_of(file_id)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with open(os.open(path, CREATE_FLAGS, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            for directory in (path.parent, self._root):
                _sync(directory)
        except OSError:
            with suppress(OSError):
                path.unlink()
            raise

    def open(self, file_id: str) -> BinaryIO:
        try:
            return self.path_of(file_id).open("rb")
        except FileNotFoundError:
            raise BlobMissing(file_id) from None

    def delete(self, file_id: str) -> None:
        self.path_of(file_id).unlink(missing_ok=True)

    def list_ids(self) -> Iterator[str]:
        """Yield the ids of all files in the directory."""
        return (path.name for path in self._root.glob("??/file_*"))

    def path_of(self, file_id: str) -> Path:
        return self._root / file_id[-2:] / file_id


def open_blobs(settings: Settings) -> Blobs:
    """Return the place that `INTURN_FILES` names."""
    if settings.files_bucket:
        from turns.files.bucket import BucketBlobs  # noqa: PLC0415  # it imports this module

        return BucketBlobs(*settings.files_bucket)
    directory = settings.files_directory
    return NoBlobs() if directory is None else DirectoryBlobs(directory)


def open_blobs_or_exit(settings: Settings) -> Blobs:
    """Return the place, checked if a setting names it; if it cannot be used, print the reason and exit with code 2."""
    blobs = open_blobs(settings)
    try:
        if settings.files:  # the default directory may be read-only where nothing is uploaded
            blobs.prepare()
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None
    return blobs


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
