"""The parts of a submitted input that is more than text."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from turns.config.settings import MAX_INPUT_BYTES
from turns.domain.content.parts import FILE_ID, MAX_PARTS, MAX_URL_CHARACTERS, PartType
from web.schemas.field_types import rule, text_rules


class PartBody(BaseModel):
    """One part of an input: `text`, an `image` with its `file_id` or `url`, or a `file` with its `file_id`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["text", "image", "file"]
    text: Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_INPUT_BYTES)] | None = None
    file_id: Annotated[str, Field(pattern=f"^{FILE_ID.pattern}$")] | None = None
    url: Annotated[str, Field(pattern=r"^https://[!-~]+$", max_length=MAX_URL_CHARACTERS)] | None = None

    @model_validator(mode="after")
    def _has_its_field(self) -> Self:
        needed = {PartType.TEXT: ("text",), PartType.IMAGE: ("file_id", "url"), PartType.FILE: ("file_id",)}[
            PartType(self.type)
        ]
        given = [name for name in ("text", "file_id", "url") if getattr(self, name) is not None]
        if len(given) != 1 or given[0] not in needed:
            raise rule(f"must have {' or '.join(needed)}, and no other field besides type")
        return self


PARTS_SCHEMA = {
    "type": "array",
    "minItems": 1,
    "maxItems": MAX_PARTS,
    "items": PartBody.model_json_schema(),
    "description": "parts, of which the assistant must accept each",
}
