"""Options that several commands share, and the turn that they describe."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

import click

from inturn.cli.files.last_session import recall
from inturn.cli.terminal.output import Terminal
from inturn.client import Client
from inturn.values import OnBusy, TurnBody

QUICK_RETRIES = 2  # about a second: somebody waits, and would rather be told

Command = TypeVar("Command", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line, as the service gives it.")
user = click.option("--user", "user_id", metavar="ID", help="The user whose session it is.")


class InOrder(click.Group):
    """Lists its commands as they were added: the first steps first."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@dataclass
class Invocation:
    """What the commands are given: where to ask, and where to write."""

    url: str | None
    terminal: Terminal

    def client(self, *, max_retries: int = QUICK_RETRIES) -> Client:
        """Raises `ConfigurationError`."""
        return Client(self.url, max_retries=max_retries)


pass_invocation = click.make_pass_decorator(Invocation)


def named_values(_context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`NAME=VALUE` as a mapping."""
    pairs = [pair.partition("=") for pair in given]
    for name, sign, _ in pairs:
        if not (name and sign):
            raise click.BadParameter("must be NAME=VALUE", param=parameter)
    return {name: value for name, _, value in pairs}


def about_the_turn(command: Command) -> Command:
    """The options that say which session a turn is for, and what its assistant is told."""
    for option in reversed(
        (
            click.option("-s", "--session", "session_id", metavar="ID", help="The session; a new one if not named."),
            click.option("-c", "--continue", "goes_on", is_flag=True, help="The session that you talked in last."),
            user,
            click.option("-a", "--assistant", metavar="NAME", help="Who answers; `default` if nobody is named."),
            click.option(
                "-v", "--var", "variables", metavar="NAME=VALUE", multiple=True, callback=named_values,
                help="A variable of the assistant's prompt; may be given several times.",
            ),
            click.option(
                "--on-busy", type=click.Choice(["enqueue", "reject", "interrupt", "rollback"]),
                help="What to do if the session has a live turn.",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


@dataclass(frozen=True, kw_only=True)
class AboutTheTurn:
    """Those options, as they were given."""

    session_id: str | None
    goes_on: bool
    user_id: str | None
    assistant: str | None
    variables: dict[str, str]
    on_busy: str | None

    def body(self, base_url: str) -> TurnBody:
        """A turn without text yet. Raises `UsageError` where there is nothing to go on with."""
        body: TurnBody = {"session_id": self.session_id or new_session_id(), "input": ""}
        if self.goes_on:
            body.update(self._recalled(base_url))
        if self.user_id:
            body["user_id"] = self.user_id
        if self.assistant:
            body["assistant"] = self.assistant
        if self.on_busy:
            body["on_busy"] = cast("OnBusy", self.on_busy)
        body["variables"] = {**(body.get("variables") or {}), **self.variables}
        return body

    def _recalled(self, base_url: str) -> TurnBody:
        if self.session_id:
            raise click.UsageError("Either --session or --continue.")
        found = recall(base_url)
        if not found:
            raise click.UsageError(f"You have talked in no session at {base_url} yet.")
        return cast("TurnBody", found)


def new_session_id() -> str:
    """One that a person can tell from others."""
    return f"cli-{datetime.now().astimezone():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
