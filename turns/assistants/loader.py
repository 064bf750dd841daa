"""Read `assistants.toml`, and report all errors in it at once, each with its table, field and rule."""

import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import ErrorDetails

from turns.assistants.overrides import check_provider
from turns.assistants.prices import Prices, PricesTable, PriceTable
from turns.assistants.schema import AssistantTable, VariableTable
from turns.assistants.table import Table
from turns.config.rules import describe_rule
from turns.domain.assistant import Assistant
from turns.domain.errors import ConfigurationError
from turns.domain.ids import NAME_RULE, is_name

# An additional check of one process, such as importing the chain; returns a field and its error, or None.
Check = Callable[[Assistant], tuple[str, str] | None]

NO_PRICES = Prices()
UNKNOWN = "there is no assistant of this name"


def _name(name: str) -> str:
    if not is_name(name):
        raise ValueError(f"an assistant's name {NAME_RULE}")
    return name


class FileTable(Table):
    """The whole file."""

    assistants: dict[Annotated[str, AfterValidator(_name)], AssistantTable] = Field(min_length=1)
    prices: PricesTable | None = None


@dataclass(frozen=True, slots=True)
class AssistantsFile:
    """The content of `assistants.toml`: the assistants by name, and the prices of their tokens."""

    assistants: Mapping[str, Assistant]
    prices: Prices = NO_PRICES


def read_assistants(path: Path, *, check: Check = lambda _: None) -> AssistantsFile:
    """Return the assistants and prices of a file; raise `ConfigurationError` with a list of all errors."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigurationError(
            f"{path}: cannot be read: {error.strerror}; INTURN_ASSISTANTS names the file"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: cannot be read: {error}") from None
    try:
        file = FileTable.model_validate(content)
    except ValidationError as error:
        raise _configuration_error(path, ((e["loc"], _rule(e)) for e in error.errors())) from None
    assistants = {name: table.to_assistant(name) for name, table in file.assistants.items()}
    checked = [(name, check_provider(assistant) or check(assistant)) for name, assistant in assistants.items()]
    failed = [(("assistants", name, failure[0]), failure[1]) for name, failure in checked if failure]
    prices = Prices(**dict(file.prices)) if file.prices else NO_PRICES
    failed += [(("prices", "assistants", name), UNKNOWN) for name in prices.assistants if name not in assistants]
    if failed:
        raise _configuration_error(path, failed)
    return AssistantsFile(assistants, prices)


def _configuration_error(path: Path, errors: Iterable[tuple[Sequence[str | int], str]]) -> ConfigurationError:
    """Return one error for all, with lines such as `assistants.toml: assistants.a.temperature: must be …`."""
    return ConfigurationError("\n".join(f"{path}: {_dotted(location)}: {rule}" for location, rule in errors))


def _dotted(location: Sequence[str | int]) -> str:
    return ".".join(str(part) for part in location if part != "[key]")  # pydantic marks the keys of a mapping so


def _rule(error: ErrorDetails) -> str:
    match error["type"]:
        case "missing" if len(error["loc"]) > 1:
            return "is missing"
        case "missing":
            return "is missing; an assistant is a table [assistants.NAME]"
        case "extra_forbidden":
            return f"is not known; {_known_fields(error['loc'])}"
        case "value_error":
            return str(error["ctx"]["error"])
    rule = describe_rule(error)
    value = error["input"]
    return f"{rule} (it is {value!r})" if isinstance(value, int | float) or error["type"] == "enum" else rule


def _known_fields(location: tuple[str | int, ...]) -> str:
    """Return a hint for an unknown field."""
    if len(location) == 1:
        return "an assistant is a table [assistants.NAME]"
    of_prices: dict[int, type[Table]] = {2: PricesTable, 4: PriceTable}
    tables = of_prices if location[0] == "prices" else {3: AssistantTable}
    return f"known fields: {', '.join(tables.get(len(location), VariableTable).model_fields)}"
