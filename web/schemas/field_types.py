"""The kinds of values that callers send, and the rules that they must keep."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from turns.domain.ids import NAME, NAME_RULE, is_name

MAX_INPUT_BYTES = 32 * 1024
MAX_VARIABLE_BYTES = 8 * 1024
MAX_CONTENT_BYTES = 1024 * 1024  # more than a model answers, unless INTURN_MAX_ANSWER_BYTES says so


def _rule(text: str) -> PydanticCustomError:
    return PydanticCustomError("rule", text)


def _name(value: str) -> str:
    if not is_name(value):
        raise _rule(NAME_RULE)
    return value


def _text(*, most_bytes: int, least_bytes: int = 0) -> Any:
    """Text that Redis and providers take: UTF-8 has no lone surrogates, and NUL ends a string in too many places."""

    def check(value: str) -> str:
        try:
            size = len(value.encode())
        except UnicodeEncodeError:
            raise _rule("must be valid Unicode, without lone surrogates") from None
        if "\0" in value:
            raise _rule("must not contain the NUL character")
        if size < least_bytes:
            raise _rule("must not be empty")
        if size > most_bytes:
            raise _rule(f"must be at most {most_bytes} bytes of UTF-8")
        return value

    described = Field(
        description=f"at most {most_bytes} bytes of UTF-8, without NUL",
        # JSON Schema counts characters; a character has at least one byte, so this is what can be said there.
        json_schema_extra={"minLength": min(least_bytes, 1), "maxLength": most_bytes, "pattern": r"^[^\u0000]*$"},
    )
    return [AfterValidator(check), described]


Name = Annotated[
    str, AfterValidator(_name), Field(json_schema_extra={"pattern": rf"^(?!(\.{{1,2}}|-)$){NAME.pattern}$"})
]
Input = Annotated[str, *_text(least_bytes=1, most_bytes=MAX_INPUT_BYTES)]
Content = Annotated[str, *_text(most_bytes=MAX_CONTENT_BYTES)]
VariableName = Annotated[str, *_text(most_bytes=128)]
Variable = Annotated[str, *_text(most_bytes=MAX_VARIABLE_BYTES)]
MetadataName = Annotated[str, *_text(least_bytes=1, most_bytes=64)]
Metadata = Annotated[str, *_text(most_bytes=512)]
