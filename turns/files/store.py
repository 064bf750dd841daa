"""The store of uploaded files, for callers, and its sweep."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, TypeVar, cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.offload import Offload, run_inline
from turns.backend.script_replies import Reply, to_record
from turns.config.logs import Log, get_logger
from turns.config.settings import Settings
from turns.domain.content.parts import is_file_id, new_file_id
from turns.domain.errors import FileInUse, FileNotFound, FilesFull, FilesUnavailable, FileTypeRefused, StoreUnavailable
from turns.files.blobs import BlobMissing, Blobs, NoBlobs
from turns.files.media_types import IMAGES, matches, recognize
from turns.files.scripts import FileScripts

SWEEP_LIMIT = 100  # files that one run of the script checks, so that it blocks Redis only for a millisecond
MAX_DELETE_ERRORS = 3  # of one call; then the disk or the bucket is the reason, and not a file
STORED = "stored"
CHUNK_BYTES = 256 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """An uploaded file. `user_id` is None if all users of the tenant can refer to it."""

    id: str
    tenant: str
    user_id: str | None
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: int

    @property
    def is_image(self) -> bool:
        return self.media_type in IMAGES


class FileStore:
    """Every method raises `StoreUnavailable` if Redis cannot be reached, `FilesUnavailable` if the bytes cannot."""

    def __init__(self, client: Client, settings: Settings, blobs: Blobs, *, offload: Offload = run_inline) -> None:
        """`offload` runs what blocks, such as writing to the disk."""
        self._client = client
        self._settings = settings
        self._scripts = FileScripts(client, settings)
        self._blobs = blobs
        self._offload = offload if blobs.waits_for_disk else run_inline

    @property
    def takes_files(self) -> bool:
        return not isinstance(self._blobs, NoBlobs)

    def add(
        self,
        content: bytes,
        *,
        media_type: str,
        name: str,
        tenant: str,
        user_id: str | None = None,
        session: str | None = None,
        near: str | None = None,
    ) -> StoredFile:
        """Store a file; on return it is on the disk, and turns can refer to it.

        An empty `media_type` is recognized. `session` is the key of the session that may see it, if its owner does not
        look for it. `near` is that of a session which will probably refer to it, by default the same. Raises
        `FileTypeRefused`, `FilesFull`.
        """
        media_type = self._check_type(content, media_type)
        file_id, sha256 = self._new_id(), hashlib.sha256(content).hexdigest()
        outcome, created_at = self._scripts.create_file(
            file_id,
            tenant=tenant,
            user_id=user_id or "",
            size=len(content),
            max_tenant_bytes=self._max_tenant_bytes(tenant),
            fields={
                "name": name,
                "media_type": media_type,
                "sha256": sha256,
                **({"session": session} if session else {}),
            },
        )
        if outcome is Reply.TOO_MANY:
            raise FilesFull
        self._write(file_id, content, tenant=tenant, user_id=user_id or "")
        if self._scripts.complete_file(file_id) is not Reply.RECORDED:
            # It took so long that the sweep has removed the record, perhaps before the bytes were there.
            self._use_blobs(lambda: self._blobs.delete(file_id))
            raise FilesUnavailable
        return StoredFile(
            id=file_id,
            tenant=tenant,
            user_id=user_id,
            name=name,
            media_type=media_type,
            size_bytes=len(content),
            sha256=sha256,
            created_at=created_at,
        )

    def get(self, file_id: str, *, tenant: str, user_id: str | None = None, session: str | None = None) -> StoredFile:
        """Return a file of the tenant, or of its user. Raises `FileNotFound`.

        With `session`, the file must not belong to another session.
        """
        record = self._client.hgetall(keys.FILE(file_id)) if is_file_id(file_id) else {}
        found = to_record(cast(dict[bytes, bytes], record))
        if found.get("state") != STORED or (found["tenant"], found["user_id"] or user_id) != (tenant, user_id):
            raise FileNotFound
        if session and found.get("session", session) != session:
            raise FileNotFound
        return StoredFile(
            id=file_id,
            tenant=tenant,
            user_id=found["user_id"] or None,
            name=found["name"],
            media_type=found["media_type"],
            size_bytes=int(found["size"]),
            sha256=found["sha256"],
            created_at=int(found["created_at"]),
        )

    def chunks(self, file: StoredFile) -> Iterator[bytes]:
        """Return the bytes of a file in pieces. Raises `FileNotFound` if it has been deleted since."""
        try:
            stream = self._use_blobs(lambda: self._blobs.open(file.id))
        except BlobMissing:
            raise FileNotFound from None
        return self._pieces(stream)

    def delete(self, file_id: str, *, tenant: str, user_id: str | None = None, session: str | None = None) -> None:
        """Delete a file that `get` returns, or do nothing. Raises `FileInUse`."""
        try:
            self.get(file_id, tenant=tenant, user_id=user_id, session=session)
        except FileNotFound:
            return
        outcome = self._scripts.delete_file(file_id, tenant=tenant, user_id=user_id or "")
        if outcome is Reply.BUSY:
            raise FileInUse
        if outcome is Reply.REMOVED:
            self._delete_bytes([file_id])

    def sweep(self) -> int:
        """Delete the files to which nothing refers any more; return their number. Any process may call this."""
        deleted = 0
        while removed := self._scripts.sweep_files(SWEEP_LIMIT):
            deleted += self._finish_removal(removed)
        if deleted:
            get_logger().info(Log.FILES_DELETED, files=deleted)
        return deleted

    def _new_id(self) -> str:
        return new_file_id()

    def _max_tenant_bytes(self, tenant: str) -> int:
        """Return the maximum number of bytes of the tenant's files in this store, or 0. Raises `FilesFull`."""
        return self._settings.tenant_file_bytes

    def _finish_removal(self, removed: list[str]) -> int:
        """Delete the bytes of files without a record; return the number of these files."""
        self._delete_bytes(removed)
        return len(removed)

    def _pieces(self, stream: BinaryIO) -> Iterator[bytes]:
        with stream:
            while piece := self._use_blobs(lambda: stream.read(CHUNK_BYTES)):
                yield piece

    def _check_type(self, content: bytes, media_type: str) -> str:
        """Return the media type of a content that can be stored. Raises `FileTypeRefused`."""
        if not self.takes_files:
            raise FileTypeRefused("This service takes no files.")
        media_type = media_type or recognize(content)
        allowed = self._settings.allowed_file_types
        if media_type not in allowed:
            kind = media_type or "This kind of content"
            raise FileTypeRefused(f"{kind} is not taken; allowed types: {', '.join(sorted(allowed))}.")
        if not matches(content, media_type):
            raise FileTypeRefused(f"The content is not {media_type}.")
        return media_type

    def _write(self, file_id: str, content: bytes, *, tenant: str, user_id: str) -> None:
        try:
            self._use_blobs(lambda: self._blobs.write(file_id, content))
        except FilesUnavailable:
            with suppress(StoreUnavailable):  # otherwise the tenant's limit counts the file until the sweep
                self._scripts.delete_file(file_id, tenant=tenant, user_id=user_id)
            raise

    def _delete_bytes(self, file_ids: list[str]) -> None:
        """Delete the bytes of these files. Go on after an error, so that one bad file does not keep the others."""
        deleted: list[str] = []

        def delete() -> None:
            errors: list[OSError] = []
            for file_id in file_ids:
                try:
                    self._blobs.delete(file_id)
                    deleted.append(file_id)
                except OSError as error:
                    errors.append(error)
                    if len(errors) == MAX_DELETE_ERRORS:
                        break
            if errors:
                raise errors[0]

        try:
            self._use_blobs(delete)
        finally:
            if deleted:
                self._scripts.forget_files(deleted)

    def _use_blobs(self, work: Callable[[], T]) -> T:
        def run_and_catch() -> T | Exception:
            """Return an expected exception: gevent's thread pool prints each one that is raised, even if handled."""
            try:
                return work()
            except (OSError, BlobMissing, FilesUnavailable) as error:
                return error

        outcome = self._offload(run_and_catch)
        if isinstance(outcome, OSError):
            get_logger().error(Log.FILES_UNAVAILABLE, error=str(outcome))
            raise FilesUnavailable from outcome
        if isinstance(outcome, Exception):
            raise outcome
        return cast(T, outcome)
