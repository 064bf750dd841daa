"""Input that is more than text: its parts, and uploaded files."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Required, TypedDict


class PartBody(TypedDict, total=False):
    """One part of an input: `text`, an `image` with its `file_id` or `url`, or a `file` with its `file_id`."""

    type: Required[Literal["text", "image", "file"]]
    text: str
    file_id: str
    url: str


@dataclass(frozen=True, kw_only=True)
class File:
    """An uploaded file. The service deletes it when no turn and no session refers to it any more."""

    id: str
    user_id: str | None
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    created_at: datetime
    raw: dict[str, Any] = field(compare=False, repr=False)

    @property
    def part(self) -> PartBody:
        """The part of an input that refers to this file."""
        return {"type": "image" if self.media_type.startswith("image/") else "file", "file_id": self.id}
