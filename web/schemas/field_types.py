"""The types of values in requests, with their rules."""

import re
import unicodedata
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from turns.domain.content.parts import FILE_ID
from turns.domain.ids import ID_RULE, MAX_ID_CHARACTERS, NAME, NAME_RULE, is_id, is_name

MAX_VARIABLE_NAME_BYTES = 128
MAX_VARIABLE_BYTES = 8 * 1024
MAX_CONTENT_BYTES = 1024 * 1024  # more than answers have, unless INTURN_MAX_ANSWER_BYTES was raised
MAX_METADATA_NAME_BYTES = 64
MAX_METADATA_BYTES = 512
MAX_TITLE_BYTES = 512
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)

FileId = Annotated[str, WithJsonSchema({"type": "string", "pattern": f"^{FILE_ID.pattern}$"})]


def rule(text: str) -> PydanticCustomError:
    """Return an error whose message is this rule."""
    return PydanticCustomError("rule", text)


def _name(value: str) -> str:
    if not is_name(value):
        raise rule(NAME_RULE)
    return value


def _id(value: str) -> str:
    if not is_id(value):
        raise rule(ID_RULE)
    return value


def _line(value: str) -> str:
    if not value.strip() or any(unicodedata.category(character) == "Cc" for character in value):
        raise rule("must be one line with a visible character")
    return value


def _to_ms(value: object) -> int:
    try:
        if isinstance(value, str) and RFC3339.fullmatch(value):
            # In UTC, the last hours of the year 9999 west of Greenwich are in no year that an answer can show.
            return round(datetime.fromisoformat(value).astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        pass
    raise rule("must be a time with its offset from UTC, such as 2026-11-27T09:00:00Z")


def text_rules(*, max_bytes: int, min_bytes: int = 0) -> Any:
    """Return the annotations of a text type with these bounds.

    Lone surrogates cannot be encoded as UTF-8, and NUL ends strings in too many programs.
    """

    def check(value: str) -> str:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise rule("must be valid Unicode, without lone surrogates") from None
        if "\0" in value:
            raise rule("must not contain the NUL character")
        if size < min_bytes:
            raise rule("must not be empty")
        if size > max_bytes:
            raise rule(f"must be at most {max_bytes} bytes of UTF-8")
        return value

    described = Field(
        description=f"at most {max_bytes} bytes of UTF-8, without NUL",
        # JSON Schema counts characters, each of which has at least one byte.
        json_schema_extra={"minLength": min(min_bytes, 1), "maxLength": max_bytes, "pattern": r"^[^\u0000]*$"},
    )
    return [AfterValidator(check), described]


Name = Annotated[
    str,
    AfterValidator(_name),
    Field(
        description=NAME_RULE.removeprefix("must be "),
        json_schema_extra={"pattern": rf"^(?!(\.{{1,2}}|-)$){NAME.pattern}$"},
    ),
]
ID_SCHEMA = {  # Python's regular expressions, which many validators use, have no class of printable characters
    "type": "string",
    "description": ID_RULE.removeprefix("must be "),
    "minLength": 1,
    "maxLength": MAX_ID_CHARACTERS,
    "pattern": r"^(?!\.{1,2}$)\S+$",
}
Id = Annotated[str, AfterValidator(_id), WithJsonSchema(ID_SCHEMA)]
Content = Annotated[str, *text_rules(max_bytes=MAX_CONTENT_BYTES)]
VariableName = Annotated[str, *text_rules(max_bytes=MAX_VARIABLE_NAME_BYTES)]
Variable = Annotated[str, *text_rules(max_bytes=MAX_VARIABLE_BYTES)]
Title = Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_TITLE_BYTES), AfterValidator(_line)]
MetadataName = Annotated[str, *text_rules(min_bytes=1, max_bytes=MAX_METADATA_NAME_BYTES)]
Metadata = Annotated[str, *text_rules(max_bytes=MAX_METADATA_BYTES)]
GivenInstant = Annotated[int, BeforeValidator(_to_ms), WithJsonSchema({"type": "string", "format": "date-time"})]
