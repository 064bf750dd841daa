"""The parts of an answer that is more than text."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from turns.domain.events import ToolState
from web.schemas.field_types import FileId


class PartModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TextPart(PartModel):
    """A piece of `content`."""

    type: Literal["text"] = "text"
    text: str


class ReasoningPart(PartModel):
    """The model's reasoning at this place, if the assistant shows it."""

    type: Literal["reasoning"] = "reasoning"
    text: str


class ToolPart(PartModel):
    """One call of a tool; arguments and result if the assistant shows them."""

    type: Literal["tool"] = "tool"
    call_id: str
    name: str
    state: ToolState
    arguments: str | None = None
    result: str | None = None


class ImagePart(PartModel):
    """An image: an uploaded file, or an address.

    Images that a model gives back are stored as files of the turn's user; one that cannot be stored is a `data:` URL.
    """

    type: Literal["image"] = "image"
    file_id: FileId | None = None
    media_type: str | None = Field(None, description="of the file")
    url: str | None = None


class CitationPart(PartModel):
    """A source of the answer, as the provider names it."""

    type: Literal["citation"] = "citation"
    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    start_index: int | None = Field(None, description="the part of `content` that it supports, if the provider tells")
    end_index: int | None = None


Part = Annotated[TextPart | ReasoningPart | ToolPart | ImagePart | CitationPart, Field(discriminator="type")]
MODELS: dict[str, type[PartModel]] = {
    "reasoning": ReasoningPart,
    "tool": ToolPart,
    "image": ImagePart,
    "citation": CitationPart,
}


def _fill(stored: Any, info: ValidationInfo) -> Any:
    """Return the stored parts with their texts, which are pieces of the `content` or `text` beside them."""
    content = info.data.get("content", info.data.get("text", ""))
    return None if stored is None else tuple(_read(stored, content))


def _read(stored: list[dict[str, Any]], content: str) -> Iterator[PartModel]:
    """Yield the parts. Types and fields that a worker of a later release has added are left out."""
    for part in stored:
        if part["type"] == "text":
            yield TextPart(text=content[part["start"] : part["end"]])
        elif model := MODELS.get(part["type"]):
            yield model.model_validate({name: part[name] for name in model.model_fields if name in part})


OutputParts = Annotated[tuple[Part, ...] | None, BeforeValidator(_fill)]
