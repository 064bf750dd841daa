"""Replace this process by a program of the service, which is installed beside the client."""

import os
import sys
from pathlib import Path

import click

from inturn.installed_service import find_service, service_command, service_environment


def exec_module(module: str, *arguments: str, **environment: str) -> None:
    """Run the program in place of this process, so that Ctrl-C and the exit code are those of the program."""
    service = find_service()
    if service is None:
        raise click.ClickException(
            "The service is not installed here, only the client. In a clone of its repository, `make up` starts it, "
            "and `pip install '.[service]'` installs it here."
        )
    merged = service_environment(service, {**os.environ, **environment}, Path.cwd())
    os.execve(sys.executable, service_command(module, *arguments), merged)  # noqa: S606  # our own programs
