"""The form that the answer of a turn must have, as callers of OpenAI's API give it."""

import json
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from turns.response_format.rules import MAX_SCHEMA_BYTES, check_schema
from web.schemas.field_types import text_rules


def _json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    try:
        check_schema(schema)
    except ValueError as error:
        raise PydanticCustomError("rule", "{rule}", {"rule": str(error)}) from None
    return schema


class JsonSchema(BaseModel):
    """A JSON schema with a name for the model."""

    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]
    description: Annotated[str, *text_rules(max_bytes=1024)] | None = None
    json_schema: Annotated[dict[str, Any], AfterValidator(_json_schema)] = Field(
        alias="schema",
        description=f"JSON Schema 2020-12, at most {MAX_SCHEMA_BYTES} bytes; `$ref` only to `#` and its `$defs`",
    )
    strict: bool | None = None


class ResponseFormat(BaseModel):
    """The form of the answer, which is checked before it takes effect."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None

    @model_validator(mode="after")
    def _has_schema(self) -> Self:
        if (self.type == "json_schema") != (self.json_schema is not None):
            raise PydanticCustomError("rule", "must have json_schema exactly if its type is json_schema")
        return self

    def to_json(self) -> str:
        """Return the form as it is sent to the provider."""
        return json.dumps(self.model_dump(by_alias=True, exclude_none=True))
