"""Resolve the parts of a submitted input: their files must exist, and have the types that the parts say."""

from collections.abc import Sequence

from flask import g

from turns.domain.content.parts import Part, PartType
from turns.domain.errors import FileNotFound, InvalidRequest
from turns.files.store import FileStore, StoredFile
from web.schemas.parts import PartBody


class PartResolver:
    """Looks up the files of parts. `max_bytes` is the size of all files that a request to the model can contain."""

    def __init__(self, store: FileStore, *, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    def resolve(self, bodies: Sequence[PartBody], tenant: str, user_id: str | None) -> tuple[Part, ...]:
        """Return the parts with the names and types of their files. Raises `InvalidRequest`.

        A page with an access token has the files of the user of the token.
        """
        user_id = g.caller.token.user_id if g.caller.token else user_id
        files: dict[str, StoredFile] = {}
        parts = tuple(self._part(n, body, tenant, user_id, files) for n, body in enumerate(bodies))
        if sum(file.size_bytes for file in files.values()) > self._max_bytes:
            raise InvalidRequest("input", f"must have at most {self._max_bytes} bytes in all of its files")
        return parts

    def _part(self, n: int, body: PartBody, tenant: str, user_id: str | None, files: dict[str, StoredFile]) -> Part:
        kind = PartType(body.type)
        if body.file_id is None:
            return Part(type=kind, text=body.text or "", url=body.url)
        try:
            file = files[body.file_id] = self._store.get(body.file_id, tenant=tenant, user_id=user_id)
        except FileNotFound:
            raise InvalidRequest(f"input.{n}.file_id", "there is no such file") from None
        if file.is_image is not (kind is PartType.IMAGE):
            raise InvalidRequest(f"input.{n}.type", f"must be {'image' if file.is_image else 'file'} for this file")
        return Part(type=kind, file_id=file.id, name=file.name, media_type=file.media_type)
