"""`inturn up`, `inturn doctor` and `inturn keys`: programs of the service itself, where it is on this machine."""

import importlib.util
import os
import sys
from collections.abc import Mapping

import click

PARTS = ("supervisor.machine", "turns.store", "web.server", "worker.app")


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the endpoint.  [PORT; 8000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.  [WORKERS; 1]")
def up(port: int | None, workers: int | None) -> None:
    """Start everything on this machine: store, endpoint and workers. Ctrl-C stops it.

    It needs no Redis and no key: data is kept in .inturn, and a built-in offline model answers until OPENAI_API_KEY or
    OPENAI_BASE_URL names another. All settings are environment variables, listed in the README.
    """
    given = {"PORT": port, "WORKERS": workers}
    _become("supervisor", **{name: str(value) for name, value in given.items() if value is not None})


@click.command()
@click.option("--ask-model", is_flag=True, help="Ask the model for one token; this costs that token.")
def doctor(ask_model: bool) -> None:
    """Look whether everything is as it must be, and say for each finding what to do. Exit code 1 if something is wrong.

    The store, its durability and clock, workers, endpoint, keys, model and versions, under the settings of this shell.
    """
    _become("supervisor.doctor", *(["--ask-model"] if ask_model else []))


@click.group()
def keys() -> None:
    """API keys of the service whose store this shell's REDIS_URL names.

    Once the first key is made, every call needs one. A key is shown once, when it is made.
    """


@keys.command()
@click.argument("tenant")
@click.option("--scopes", default="turns", show_default=True, help="Some of turns,read,operator,observer.")
@click.option("--days", type=click.FloatRange(min=0, min_open=True), help="How long it works.  [until it is revoked]")
def create(tenant: str, scopes: str, days: float | None) -> None:
    """Make a key for TENANT, and show it."""
    _become("turns", "keys", "create", tenant, "--scopes", scopes, *([] if days is None else ["--days", str(days)]))


@keys.command("ls")
def ls() -> None:
    """Show what is known of all keys; not the keys."""
    _become("turns", "keys", "list")


@keys.command()
@click.argument("key_id")
def revoke(key_id: str) -> None:
    """End a key, within seconds everywhere."""
    _become("turns", "keys", "revoke", key_id)


def _become(module: str, *arguments: str, **environment: str) -> None:
    """Runs a program of the service in this command's place, so that Ctrl-C and the exit code are its own."""
    if not all(map(_is_here, PARTS)):
        raise click.ClickException(
            "The service is not installed here, only its client. In a copy of its repository, `make up` starts it."
        )
    whole: Mapping[str, str] = {**os.environ, **environment}
    os.execve(sys.executable, [sys.executable, "-m", module, *arguments], whole)  # noqa: S606  # our own programs


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
