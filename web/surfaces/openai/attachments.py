"""Images and files whose bytes are in a request."""

from dataclasses import dataclass
from typing import Any, Literal

from flask import g

from turns.domain.content.parts import MAX_NAME_CHARACTERS
from web.services import Services
from web.surfaces.data_urls import read_data_url


@dataclass(frozen=True, slots=True)
class Attachment:
    """The bytes of an image or a file."""

    kind: Literal["image", "file"]
    content: bytes
    media_type: str
    name: str = ""


def read_attachment(kind: Literal["image", "file"], url: str, field: str, *, name: Any = "") -> Attachment:
    """Return the content of a data URL. Raises `InvalidRequest`."""
    content, media_type = read_data_url(url, field)
    return Attachment(kind, content, media_type, name[:MAX_NAME_CHARACTERS] if isinstance(name, str) else "")


def store_attachment(services: Services, attachment: Attachment, user_id: str | None) -> dict[str, str]:
    """Store the bytes as a file of the caller, and return the part of a turn that refers to it."""
    stored = services.files.add(
        attachment.content,
        media_type=attachment.media_type,
        name=attachment.name,
        tenant=g.caller.tenant,
        user_id=g.caller.token.user_id if g.caller.token else user_id,
    )
    return {"type": "image" if stored.is_image else "file", "file_id": stored.id}
