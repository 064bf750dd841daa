"""Options that several commands share, and the turn that they describe."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar, cast

import click

from inturn.cli.files.last_session import load_last_session
from inturn.cli.terminal.output import Terminal
from inturn.client import Client
from inturn.values import OnBusy, TurnBody

INTERACTIVE_RETRIES = 2  # about a second, because a user waits for the error message

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, one object per line.")
user_option = click.option("--user", "user_id", metavar="ID", help="User that the session belongs to.")
owner_option = click.option("--user", "user_id", metavar="ID", help="User that the file belongs to.")
limit_option = click.option(
    "-n", "--limit", type=click.IntRange(1), default=20, show_default=True, help="Maximum number to list."
)


class Duration(click.ParamType[float]):
    """A time such as `90s`, `20m`, `2h` or `1d`, as its number of seconds."""

    name = "duration"
    UNITS: ClassVar = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds. Raise `BadParameter` for any other text."""
        if isinstance(value, float):
            return value
        number, unit = value[:-1], value[-1:]
        if unit not in self.UNITS or not (number.isascii() and number.isdigit()) or int(number) == 0:
            self.fail("must be a number with s, m, h or d, such as 90s, 20m, 2h or 1d", param, ctx)
        return float(int(number) * self.UNITS[unit])


DURATION = Duration()


class OrderedGroup(click.Group):
    """Lists its commands in the order in which they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@dataclass
class Invocation:
    """The global options and the terminal, which click passes to each command."""

    url: str | None
    terminal: Terminal

    def client(self, *, max_retries: int = INTERACTIVE_RETRIES) -> Client:
        """Return a client of the service. Raise `ConfigurationError`."""
        return Client(self.url, max_retries=max_retries)


pass_invocation = click.make_pass_decorator(Invocation)


def refuse_options(options: Mapping[str, object], cause: str) -> None:
    """Raise `UsageError` if one of these options, by name, was given: it would be dropped silently."""
    for name, value in options.items():
        if value:
            raise click.UsageError(f"{name} {cause}")


def parse_variables(_context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """Convert `NAME=VALUE` arguments to a mapping."""
    pairs = [value.partition("=") for value in values]
    for name, separator, _ in pairs:
        if not (name and separator):
            raise click.BadParameter("must be NAME=VALUE", param=parameter)
    return {name: value for name, _, value in pairs}


def turn_options(command: Command) -> Command:
    """Add the options that describe a turn; the command passes them to `TurnArguments`."""
    for option in reversed(
        (
            click.option("-s", "--session", "session_id", metavar="ID", help="Session id; a new session by default."),
            click.option("-c", "--continue", "continues", is_flag=True, help="Continue the most recent session."),
            user_option,
            click.option("-a", "--assistant", metavar="NAME", help="Assistant to use.  [default: `default`]"),
            click.option(
                "-v", "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=parse_variables,
                help="Variable of the assistant's prompt; repeatable.",
            ),
            click.option(
                "--on-busy", type=click.Choice(["enqueue", "reject", "interrupt", "rollback"]),
                help="Action if the session has a live turn.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class TurnArguments:
    """The values of `turn_options`."""

    session_id: str | None
    continues: bool
    user_id: str | None
    assistant: str | None
    variables: dict[str, str]
    on_busy: str | None

    def to_body(self, base_url: str) -> TurnBody:
        """Return a turn with an empty input. Raise `UsageError` if there is no session to continue."""
        body: TurnBody = {"session_id": self.session_id or new_session_id(), "input": ""}
        if self.continues:
            body.update(self._last_session(base_url))
        if self.user_id:
            body["user_id"] = self.user_id
        if self.assistant:
            body["assistant"] = self.assistant
        if self.on_busy:
            body["on_busy"] = cast("OnBusy", self.on_busy)
        body["variables"] = {**(body.get("variables") or {}), **self.variables}
        return body

    def _last_session(self, base_url: str) -> TurnBody:
        if self.session_id:
            raise click.UsageError("Use either --session or --continue.")
        found = load_last_session(base_url)
        if not found:
            raise click.UsageError(f"There is no session to continue at {base_url}.")
        return cast("TurnBody", found)


def new_session_id() -> str:
    """Return a unique session id that begins with the current time."""
    return f"cli-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
