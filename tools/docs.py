"""Generate the parts of the documentation, and of the client, that repeat the code of the service.

`make format` runs this; a test checks that the files are up to date.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.main import cli
from tools import ROOT
from tools.typescript import declare
from turns.assistants.prices import PriceTable
from turns.assistants.registry import AssistantRegistry
from turns.assistants.schema import AssistantTable, VariableTable
from turns.assistants.table import Table
from turns.backend.keys import CATALOGUE
from turns.config.settings import Settings, variables
from turns.domain import errors
from turns.domain.state import INITIAL, TERMINAL, TRANSITIONS
from web.app import create_app
from web.openapi.document import describe
from web.openapi.limits import request_limits
from web.openapi.operation import EXTENSION as OPERATIONS
from web.schemas.events.session import SESSION_EVENTS

HELP_WIDTH = 100
# Variables that docker-compose.yml sets itself, or that only `make up` reads.
SET_BY_COMPOSE = frozenset(
    {
        "REDIS_URL",
        "PORT",
        "INTURN_HOST",
        "INTURN_ALLOW_OPEN_ACCESS",
        "INTURN_BEAT_FILE",
        "INTURN_LOG_FORMAT",
        "INTURN_FILES",
    }
)
READ_BY_MAKE_UP = frozenset({"WORKERS", "CHAIN_WORKERS", "INTURN_DATA_DIR"})


def generated() -> dict[Path, str]:
    """Return the expected text of each file that has generated parts."""
    reference = ROOT / "docs" / "reference"
    settings_page, client = reference / "settings.md", reference / "client.md"
    api = reference / "http_api.md"
    assistants = ROOT / "docs" / "guides" / "assistants.md"
    codes = ROOT / "inturn" / "protocol" / "error_codes.py"
    compose = ROOT / "docker-compose.yml"
    return {
        compose: with_part(compose.read_text(encoding="utf-8"), "settings", passed_settings(), comment=("  # ", "")),
        codes: with_part(codes.read_text(encoding="utf-8"), "errors", error_codes(), comment=("    # ", "")),
        ROOT / "clients" / "js" / "src" / "api.d.ts": typescript(),
        reference / "state_machine.md": state_machine(),
        reference / "redis_keys.md": redis_keys(),
        settings_page: with_part(settings_page.read_text(encoding="utf-8"), "settings", settings()),
        api: with_part(api.read_text(encoding="utf-8"), "limits", limits()),
        client: with_part(
            with_part(client.read_text(encoding="utf-8"), "exit codes", exit_codes()), "commands", commands()
        ),
        assistants: assistants_guide(assistants.read_text(encoding="utf-8")),
    }


def typescript() -> str:
    """Return the types of the JavaScript client."""
    settings = Settings(redis_url="redis://127.0.0.1:1")  # never connected to
    app = create_app(settings, AssistantRegistry(settings))
    schemas = describe(app.extensions[OPERATIONS])["components"]["schemas"]
    roots = [
        "SubmitBody",
        "Turn",
        "Session",
        "Message",
        "Problem",
        "TokenBody",
        "AccessToken",
        "StoredFile",
        "UnansweredQuestion",
        *(model.__name__ for model in SESSION_EVENTS.values()),
    ]
    return f"// Generated from the OpenAPI document by tools/docs.py.\n\n{declare(schemas, roots)}"


def assistants_guide(text: str) -> str:
    tables: dict[str, type[Table]] = {"fields": AssistantTable, "variables": VariableTable, "prices": PriceTable}
    for part, table in tables.items():
        text = with_part(text, part, fields(table))
    return text


def state_machine() -> str:
    arrows = [f"    [*] --> {INITIAL}: accept"]
    arrows += [f"    {frm} --> {to}: {event}" for (frm, event), to in TRANSITIONS.items()]
    arrows += [f"    {status} --> [*]" for status in sorted(TERMINAL)]
    return "\n".join(
        [
            "# The life of a turn",
            "",
            "Generated from `turns/domain/state.py`, which also explains each event. The same table is rendered into",
            "the Lua scripts, the only code that changes the status of a turn. Any other event has no effect.",
            "",
            "```mermaid",
            "stateDiagram-v2",
            *arrows,
            "```",
            "",
        ]
    )


def redis_keys() -> str:
    rows = [f"| `{key.name}` | {key.type} | {key.holds} | {key.lives} |" for key in CATALOGUE]
    return "\n".join(
        [
            "# Keys in Redis",
            "",
            "Generated from `turns/backend/keys.py`. A name that ends in a colon is a prefix, followed by an id.",
            "A session is `<session id>`, or for a user or tenant `<tenant>/<user id or ->/<session id>`; each id is",
            "percent-encoded.",
            "`INTURN_NAMESPACE=blue` puts `blue:` before each name. In a [Redis Cluster](../guides/cluster.md) the",
            "partition follows, as in `inturn:{07-12}:turn:` and `inturn:{07-12}:message_store:`.",
            "",
            "| Key | Type | Content | Kept |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def with_part(page: str, name: str, part: str, *, comment: tuple[str, str] = ("<!-- ", " -->")) -> str:
    """Return the page with `part` between the markers of that name."""
    opening, closing = comment
    begin, end = f"{opening}{name}: generated{closing}", f"{opening}/{name}{closing}"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n{part}\n{end}{after}"


def error_codes() -> str:
    """Return a row for each error of the service; the client has a class of the same name."""
    served = [error for error in vars(errors).values() if hasattr(error, "code")]
    return "\n".join(
        f'    ({error.status}, "{error.code}", errors.{error.__name__}),'
        for error in sorted(served, key=lambda error: error.status)
    )


def passed_settings() -> str:
    """Return the variables that the containers get from the shell or from `.env`."""
    return "\n".join(f"  {name}:" for name in variables().values() if name not in SET_BY_COMPOSE | READ_BY_MAKE_UP)


def settings() -> str:
    rows = [
        f"| `{variable}` | {_default(name)} | {Settings.model_fields[name].description} |"
        for name, variable in variables().items()
    ]
    return "\n".join(["| Variable | Default | What it does |", "|---|---|---|", *rows])


def limits() -> str:
    rows = [f"| {value} | {limit} |" for value, limit in request_limits(Settings().max_input_bytes).items()]
    return "\n".join(["| Value | Limit |", "|---|---|", *rows])


def exit_codes() -> str:
    rows = [f"| {code.value} | {code.meaning} |" for code in Exit]
    return "\n".join(["| Code | Means |", "|---|---|", *rows])


def commands() -> str:
    return "\n\n".join(_help(command, name) for name, command in _commands(cli, "inturn"))


def _commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield the command and all of its subcommands, with their full names."""
    yield name, command
    if isinstance(command, click.Group):
        for below, inner in command.commands.items():
            yield from _commands(inner, f"{name} {below}")


def _help(command: click.Command, name: str) -> str:
    context = click.Context(command, info_name=name, terminal_width=HELP_WIDTH, help_option_names=["-h", "--help"])
    return f"```text\n{command.get_help(context)}\n```"


def fields(table: type[Table]) -> str:
    rows = [f"| `{field}` | {info.description} |" for field, info in table.model_fields.items()]
    return "\n".join(["| Field | Meaning |", "|---|---|", *rows])


def _default(name: str) -> str:
    value = Settings.model_fields[name].default
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
    if isinstance(value, bool):
        text = text.lower()
    if isinstance(value, float) and value.is_integer():
        text = str(int(value))
    return f"`{text}`" if text else "none"


def main() -> None:
    for path, text in generated().items():
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
