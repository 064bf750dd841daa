"""`inturn up`."""

import importlib.util
import os
import sys

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
    if not all(map(_is_here, PARTS)):
        raise click.ClickException(
            "The service is not installed here, only its client. In a copy of its repository, `make up` starts it."
        )
    given = {"PORT": port, "WORKERS": workers}
    environment = {**os.environ, **{name: str(value) for name, value in given.items() if value is not None}}
    # In this command's place, so that Ctrl-C and the exit code are the supervisor's own.
    os.execve(sys.executable, [sys.executable, "-m", "supervisor"], environment)  # noqa: S606  # our own program


def _is_here(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
