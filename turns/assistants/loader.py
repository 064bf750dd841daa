"""Reads `assistants.toml`. What is wrong in it is told by line, table and rule, all of it at once."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from turns.assistants.schema import AssistantTable, Table, VariableTable
from turns.assistants.toml_lines import find_lines, line_of
from turns.domain.assistant import Assistant
from turns.domain.errors import ConfigurationError
from turns.domain.ids import NAME_RULE, is_name

# A further rule that one process has, such as that a chain can be imported. Gives a field and what is wrong with it.
Check = Callable[[Assistant], tuple[str, str] | None]


def _name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"an assistant's name {NAME_RULE}")
    return name


class FileTable(Table):
    """The whole file."""

    assistants: dict[Annotated[str, AfterValidator(_name)], AssistantTable] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    lines: Mapping[tuple[str, ...], int]

    def problems(self, found: Iterable[tuple[Sequence[str | int], str]]) -> ConfigurationError:
        """Each path with what is wrong there, in the order of the file."""
        return ConfigurationError("\n".join(text for _, text in sorted(self._problem(*each) for each in found)))

    def _problem(self, path: Sequence[str | int], rule: str) -> tuple[int, str]:
        """`assistants.toml:12: [assistants.support] temperature: …`."""
        parts = tuple(str(part) for part in path if part != "[key]")  # pydantic's own mark of a mapping's key
        table = parts
        while table and not self._is_table(table):
            table = table[:-1]
        where = f"[{'.'.join(table)}] " if table else ""
        field = f"{'.'.join(parts[len(table) :])}: " if len(parts) > len(table) else ""
        line = line_of(parts, self.lines)
        return line, f"{self.path}:{line}: {where}{field}{rule}"

    def _is_table(self, path: tuple[str, ...]) -> bool:
        return len(path) == 2 or (len(path) == 4 and path[2] == "variables")


def read_assistants(path: Path, *, check: Check = lambda _: None) -> dict[str, Assistant]:
    """The assistants of this file by name. Raises `ConfigurationError` with a list of all that is wrong."""
    try:
        text = path.read_text(encoding="utf-8")
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: is not TOML: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    file = _File(path, find_lines(text))
    try:
        tables = FileTable.model_validate(raw).assistants
    except ValidationError as error:
        raise file.problems((e["loc"], _rule(e)) for e in error.errors()) from None
    assistants = {name: table.to_assistant(name) for name, table in tables.items()}
    checked = [(name, check(assistant)) for name, assistant in assistants.items()]
    found = [(("assistants", name, wrong[0]), wrong[1]) for name, wrong in checked if wrong]
    if found:
        raise file.problems(found)
    return assistants


def _rule(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing":
            return "is missing; an assistant is a table [assistants.NAME]"
        case "extra_forbidden":
            return f"is not known; {_known(error['loc'])}"
        case "value_error":
            return str(error["ctx"]["error"])
    said = re.sub(r"^\w+ should ", "must ", error["msg"])
    given = error["input"]
    return f"{said} (it is {given!r})" if isinstance(given, int | float) or error["type"] == "enum" else said


def _known(path: tuple[str | int, ...]) -> str:
    """`path` is that of the field: three parts deep in an assistant, five in a variable."""
    if len(path) == 1:
        return "an assistant is a table [assistants.NAME]"
    return f"there is: {', '.join((AssistantTable if len(path) == 3 else VariableTable).model_fields)}"
