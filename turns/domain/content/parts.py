"""The parts of an input or a message: text, images and files.

A part is stored as one of LangChain's standard content blocks. A block refers to an uploaded file by `file_id` and
never contains its bytes.
"""

import json
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

FILE_ID = re.compile(r"file_[0-9a-f]{32}")
MAX_PARTS = 16  # of one input
MAX_NAME_CHARACTERS = 200
MAX_URL_CHARACTERS = 2048


class PartType(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    FILE = "file"


TYPES = frozenset(PartType)


class Accepts(StrEnum):
    """A kind of input that an assistant can take."""

    TEXT = "text"
    IMAGE = "image"  # an uploaded image
    IMAGE_URL = "image_url"  # the address of an image, which the provider fetches
    FILE = "file"  # any other uploaded file


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part. An image has either a file or an address; `name` and `media_type` are those of the file.

    `sha256` is the digest of its content while a request is being accepted, and not stored with the part.
    """

    type: PartType
    text: str = ""
    file_id: str | None = None
    url: str | None = None
    name: str = ""
    media_type: str = ""
    sha256: str = ""

    @property
    def kind(self) -> Accepts:
        return Accepts.IMAGE_URL if self.url else Accepts(self.type)

    @property
    def block(self) -> dict[str, Any]:
        """The part as LangChain's content block."""
        if self.type is PartType.TEXT:
            return {"type": "text", "text": self.text}
        block: dict[str, Any] = {"type": self.type.value}
        for name, value in (("file_id", self.file_id), ("url", self.url), ("mime_type", self.media_type)):
            if value:
                block[name] = value
        return {**block, "extras": {"filename": self.name}} if self.name else block

    @classmethod
    def from_block(cls, block: Any) -> Self | None:
        """Parse a content block; return None for a block of another type, or one that contains its bytes."""
        if isinstance(block, str):
            return cls(type=PartType.TEXT, text=block)
        if not isinstance(block, dict) or block.get("type") not in TYPES:
            return None
        kind = PartType(block["type"])
        if kind is PartType.TEXT:
            text = block.get("text")
            return cls(type=kind, text=text) if isinstance(text, str) else None
        file_id, url = _text(block, "file_id"), _text(block, "url")
        extras = block.get("extras")
        name = _text(extras, "filename") if isinstance(extras, dict) else ""
        return cls(type=kind, file_id=file_id or None, url=url or None, name=name, media_type=_text(block, "mime_type"))


def new_file_id() -> str:
    return f"file_{secrets.token_hex(16)}"


def is_file_id(text: str) -> bool:
    return FILE_ID.fullmatch(text) is not None


def file_ids(parts: Iterable[Part]) -> list[str]:
    """Return the files to which the parts refer, each once."""
    return list(dict.fromkeys(part.file_id for part in parts if part.file_id))


def text_of(parts: Iterable[Part]) -> str:
    """Return the text of the parts; each other part is a line with a placeholder, such as `[image: cat.png]`."""
    text, needs_break = "", False
    for part in parts:
        is_text = part.type is PartType.TEXT
        if text and not text.endswith("\n") and (needs_break or not is_text):
            text += "\n"
        text += part.text if is_text else placeholder(part)
        needs_break = not is_text
    return text


def with_text(parts: Sequence[Part], text: str) -> tuple[Part, ...]:
    """Return the parts with another text before their images and files; () if there are no parts."""
    others = tuple(part for part in parts if part.type is not PartType.TEXT)
    return (Part(type=PartType.TEXT, text=text), *others) if parts else ()


def placeholder(part: Part) -> str:
    return f"[{part.type}: {part.name}]" if part.name else f"[{part.type}]"


def to_json(parts: Sequence[Part]) -> str:
    """Return the parts as a JSON list of content blocks."""
    return json.dumps([part.block for part in parts])


def from_json(blocks: str) -> tuple[Part, ...]:
    return tuple(part for block in json.loads(blocks) if (part := Part.from_block(block)))


def _text(block: dict[str, Any], name: str) -> str:
    value = block.get(name)
    return value if isinstance(value, str) else ""
