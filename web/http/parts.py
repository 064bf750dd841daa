"""Resolve the parts of a submitted input: their files must exist, and have the types that the parts say."""

from collections.abc import Callable, Sequence
from functools import cache, partial

from flask import g

from turns.access.access_token import AccessToken
from turns.domain.content.parts import Part, PartType, file_ids
from turns.domain.errors import FileNotFound, InvalidRequest
from turns.domain.ids import session_key
from turns.files.store import FileStore, StoredFile
from web.schemas.parts import PartBody


class PartResolver:
    """Looks up the files of parts. `max_bytes` is the size of all files that a request to the model can contain."""

    def __init__(self, store: FileStore, *, max_bytes: int) -> None:
        self._store = store
        self._max_bytes = max_bytes

    def resolve(self, bodies: Sequence[PartBody], tenant: str, user_id: str | None) -> tuple[Part, ...]:
        """Return the parts with the names and types of their files. Raises `InvalidRequest`.

        A page with an access token has the files of the user, and of the session, of the token.
        """
        token: AccessToken | None = g.caller.token
        session = None
        if token:
            user_id = token.user_id
            session = session_key(token.session_id, user_id, tenant) if token.session_id else None
        find = cache(partial(self._store.get, tenant=tenant, user_id=user_id, session=session))
        parts = tuple(_to_part(n, body, find) for n, body in enumerate(bodies))
        if sum(find(file_id).size_bytes for file_id in file_ids(parts)) > self._max_bytes:
            raise InvalidRequest("input", f"must have at most {self._max_bytes} bytes in all of its files")
        return parts


def _to_part(n: int, body: PartBody, find: Callable[[str], StoredFile]) -> Part:
    kind = PartType(body.type)
    if body.file_id is None:
        return Part(type=kind, text=body.text or "", url=body.url)
    try:
        file = find(body.file_id)
    except FileNotFound:
        raise InvalidRequest(f"input.{n}.file_id", "there is no such file") from None
    if file.is_image is not (kind is PartType.IMAGE):
        raise InvalidRequest(f"input.{n}.type", f"must be {'image' if file.is_image else 'file'} for this file")
    return Part(type=kind, file_id=file.id, name=file.name, media_type=file.media_type, sha256=file.sha256)
