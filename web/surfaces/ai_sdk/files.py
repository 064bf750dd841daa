"""The files of a question: data URLs, which are stored, files that were uploaded before, and addresses of images."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from turns.domain.content.parts import FILE_ID, MAX_NAME_CHARACTERS
from turns.domain.errors import InvalidRequest
from turns.files.store import FileStore, StoredFile
from web.schemas.links import link
from web.surfaces.data_urls import read_data_url

UPLOADED = re.compile(rf".*/v1/files/({FILE_ID.pattern})")

ANY_IMAGE = "image/*"  # of an image elsewhere
ANY = "application/octet-stream"  # of a page that does not know the type

Keep = Callable[[bytes, str, str], StoredFile]  # with the content, the media type and the name


@dataclass(frozen=True, slots=True)
class FilePart:
    """A file of a message, as the page sends it. `field` is its place in the request."""

    url: str
    media_type: str
    name: str
    field: str

    @classmethod
    def parse(cls, part: dict[str, Any], field: str) -> "FilePart":
        """Read a part of a message. Raises `InvalidRequest`."""
        url, media_type, name = (part.get(key) for key in ("url", "mediaType", "filename"))
        if not isinstance(url, str) or not isinstance(media_type, str):
            raise InvalidRequest(field, "must have a url and a mediaType, which are text")
        shown = "".join(filter(_can_be_in_a_name, name)) if isinstance(name, str) else ""
        return cls(url, media_type, shown[:MAX_NAME_CHARACTERS], field)

    @property
    def content(self) -> tuple[str, str, str]:
        """What is the same wherever the message is."""
        return self.url, self.media_type, self.name

    def to_input(self, keep: Keep) -> dict[str, str]:
        """Return the part as `POST /v1/turns` takes it; `keep` stores a file. Raises `InvalidRequest`."""
        kind = "image" if self.media_type.startswith("image/") else "file"
        if self.url.startswith("data:"):
            file = keep(*read_data_url(self.url, f"{self.field}.url"), self.name)
            return {"type": "image" if file.is_image else "file", "file_id": file.id}
        if uploaded := UPLOADED.fullmatch(self.url):
            return {"type": kind, "file_id": uploaded[1]}
        if kind == "file":
            raise InvalidRequest(f"{self.field}.url", "must be a data URL or that of an uploaded file")
        return {"type": kind, "url": self.url}


@dataclass(frozen=True, slots=True)
class MessageFiles:
    """Keeps the files of messages. `max_bytes` is the maximum size of one."""

    store: FileStore
    max_bytes: int

    def keeper(self, *, tenant: str, user_id: str | None, session: str) -> Keep:
        """Return a function that stores a file of this session. It raises like `FileStore.add`."""

        def keep(content: bytes, media_type: str, name: str) -> StoredFile:
            if not 0 < len(content) <= self.max_bytes:
                raise InvalidRequest("messages", f"must have files of 1 to {self.max_bytes} bytes")
            known = "" if media_type == ANY else media_type
            return self.store.add(content, media_type=known, name=name, tenant=tenant, user_id=user_id, session=session)

        return keep


def file_url(part: Mapping[str, Any]) -> str:
    """Return the address of a part: a path of this service, or elsewhere."""
    return link(f"/v1/files/{part['file_id']}") if part.get("file_id") else str(part.get("url"))


def _can_be_in_a_name(character: str) -> bool:
    return character.isprintable() and character not in '/\\"'
