"""Read `assistants.toml`, and report all errors in it at once, each with its table, field and rule."""

import re
import tomllib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from turns.assistants.overrides import check_provider
from turns.assistants.schema import AssistantTable, Table, VariableTable
from turns.domain.assistant import Assistant
from turns.domain.errors import ConfigurationError
from turns.domain.ids import NAME_RULE, is_name

# An additional check of one process, such as importing the chain; returns a field and its error, or None.
Check = Callable[[Assistant], tuple[str, str] | None]


def _name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"an assistant's name {NAME_RULE}")
    return name


class FileTable(Table):
    """The whole file."""

    assistants: dict[Annotated[str, AfterValidator(_name)], AssistantTable] = Field(min_length=1)


def read_assistants(path: Path, *, check: Check = lambda _: None) -> dict[str, Assistant]:
    """Return the assistants of a file by name; raise `ConfigurationError` with a list of all errors."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is not valid TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    try:
        tables = FileTable.model_validate(content).assistants
    except ValidationError as error:
        raise _configuration_error(path, ((e["loc"], _rule(e)) for e in error.errors())) from None
    assistants = {name: table.to_assistant(name) for name, table in tables.items()}
    checked = [(name, check_provider(assistant) or check(assistant)) for name, assistant in assistants.items()]
    failed = [(("assistants", name, failure[0]), failure[1]) for name, failure in checked if failure]
    if failed:
        raise _configuration_error(path, failed)
    return assistants


def _configuration_error(path: Path, errors: Iterable[tuple[Sequence[str | int], str]]) -> ConfigurationError:
    """Return one error for all, with lines such as `assistants.toml: assistants.a.temperature: must be …`."""
    return ConfigurationError("\n".join(f"{path}: {_dotted(location)}: {rule}" for location, rule in errors))


def _dotted(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location if part != "[key]")  # pydantic marks the keys of a mapping so


def _rule(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is missing; an assistant is a table [assistants.NAME]"
        case "extra_forbidden":
            return f"is not known; {_known_fields(error['loc'])}"
        case "value_error":
            return str(error["ctx"]["error"])
    rule = re.sub(r"^\w+ should ", "must ", error["msg"])
    value = error["input"]
    return f"{rule} (it is {value!r})" if isinstance(value, int | float) or error["type"] == "enum" else rule


def _known_fields(location: tuple[str | int, ...]) -> str:
    """Return a hint for an unknown field."""
    if len(location) == 1:
        return "an assistant is a table [assistants.NAME]"
    return f"known fields: {', '.join((AssistantTable if len(location) == 3 else VariableTable).model_fields)}"
