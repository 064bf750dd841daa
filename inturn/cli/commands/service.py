"""The commands that run programs of the service on this machine, such as `inturn up` and `inturn keys`."""

import os
import sys
from pathlib import Path

import click

from inturn.installed_service import find_service, service_command, service_environment


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the endpoint.  [PORT; 8000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Number of worker processes.  [WORKERS; 1]")
def up(port: int | None, workers: int | None) -> None:
    """Start store, endpoint and workers on this machine. Ctrl-C stops them.

    Needs neither Redis nor an API key: the data is stored in .inturn, and a built-in offline model answers until
    OPENAI_API_KEY or OPENAI_BASE_URL is set. All settings are environment variables, listed in the
    documentation.
    """
    options = {"PORT": port, "WORKERS": workers}
    _exec_module("supervisor", **{name: str(value) for name, value in options.items() if value is not None})


@click.command()
def web() -> None:
    """Run one process of the endpoint, for your own process supervisor.

    Needs REDIS_URL, or the data directory of `inturn up`.
    """
    _exec_module("web")


@click.command()
@click.option("--chains", is_flag=True, help="Run the turns of custom chains instead of all others.")
def worker(chains: bool) -> None:
    """Run one worker process, for your own process supervisor.

    Needs REDIS_URL, or the data directory of `inturn up`.
    """
    _exec_module("worker", *(["--chains"] if chains else []))


@click.group()
def chains() -> None:
    """Develop custom chains."""


@chains.command()
@click.argument("chain", metavar="MODULE:FACTORY")
@click.option("--input", "question", default="hello", show_default=True, help="The question.")
@click.option("--var", "variables", multiple=True, metavar="NAME=VALUE", help="Variable of the chain; repeatable.")
@click.option("--ask-model", is_flag=True, help="Use the model of the settings, which costs its tokens.")
def check(chain: str, question: str, variables: tuple[str, ...], ask_model: bool) -> None:
    """Run a custom chain with the offline model, and describe it.

    MODULE is imported from this directory. The exit code is 1 if a turn of the chain would fail.
    """
    options = [f"--var={variable}" for variable in variables] + ["--ask-model"] * ask_model
    _exec_module("worker.check_chain", chain, "--input", question, *options)


@click.command()
@click.option("--ask-model", is_flag=True, help="Also request one token from the model, which costs that token.")
def doctor(ask_model: bool) -> None:
    """Check the installation and print a fix for each problem. The exit code is 1 if there is a problem.

    Checks the store, its durability and clock, workers, endpoint, keys, model and package versions, with the settings
    of this shell.
    """
    _exec_module("supervisor.doctor", *(["--ask-model"] if ask_model else []))


@click.group()
def keys() -> None:
    """Manage API keys in the store that REDIS_URL of this shell names.

    Once a key was created, every request needs a key, also after the last one was revoked. A key is shown only when it
    is created.
    """


@keys.command()
@click.argument("tenant")
@click.option("--scopes", default="turns", show_default=True, help="Any of turns,read,operator,observer.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="Days until it expires.  [until revoked]")
@click.option("--adopt", is_flag=True, help="Then give TENANT the sessions that were stored without a key.")
def create(tenant: str, scopes: str, days: float | None, adopt: bool) -> None:
    """Create a key for TENANT and print it."""
    arguments = [tenant, "--scopes", scopes, *([] if days is None else ["--days", str(days)])]
    _exec_module("turns", "keys", "create", *arguments, *(["--adopt"] if adopt else []))


@keys.command()
@click.argument("tenant")
def adopt(tenant: str) -> None:
    """Give TENANT the idle sessions that were stored without a key, with their turns. Can be repeated."""
    _exec_module("turns", "keys", "adopt", tenant)


@keys.command("ls")
def ls() -> None:
    """List all keys without their secrets."""
    _exec_module("turns", "keys", "list")


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """Revoke a key; takes effect everywhere within seconds."""
    _exec_module("turns", "keys", "revoke", key_id)


def _exec_module(module: str, *arguments: str, **environment: str) -> None:
    """Replace this process by a program of the service, so that Ctrl-C and the exit code are those of the program."""
    service = find_service()
    if service is None:
        raise click.ClickException(
            "The service is not installed here, only the client. Install it with `pip install 'inturn[service]'`."
        )
    merged = service_environment(service, {**os.environ, **environment}, Path.cwd())
    os.execve(sys.executable, service_command(module, *arguments), merged)  # noqa: S606  # our own programs
