"""The command group `inturn files`."""

import sys
from pathlib import Path

import click

from inturn.cli.options import Invocation, OrderedGroup, json_option, owner_option, pass_invocation
from inturn.parts import File

file_argument = click.argument("file_id")


@click.group(cls=OrderedGroup)
def files() -> None:
    """Upload, show, read and delete images and documents for turns.

    A file is deleted by itself when no turn and no session refers to it any more, and an unused upload after an hour.
    """


@files.command()
@click.argument("paths", metavar="PATH…", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False))
@owner_option
@json_option
@pass_invocation
def upload(invocation: Invocation, /, *, paths: tuple[str, ...], user_id: str | None, as_json: bool) -> None:
    """Upload files and print their ids.

    \b
      inturn files upload cat.png
      inturn send "What is this?" -a vision --file cat.png     uploads it too
    """
    with invocation.client() as client:
        for path in paths:
            _print(invocation, client.files.upload(path, user_id=user_id), as_json=as_json)


@files.command()
@file_argument
@owner_option
@json_option
@pass_invocation
def show(invocation: Invocation, /, *, file_id: str, user_id: str | None, as_json: bool) -> None:
    """Print the name, type and size of a file."""
    with invocation.client() as client:
        file = client.files.get(file_id, user_id=user_id)
    if as_json:
        invocation.terminal.write_json(file.raw)
    else:
        invocation.terminal.write_line(f"{file.id}  {file.media_type}  {file.size_bytes} bytes  {file.name}")


@files.command()
@file_argument
@click.option("-o", "--output", metavar="PATH", help="File to write.  [default: stdout]")
@owner_option
@pass_invocation
def read(invocation: Invocation, /, *, file_id: str, output: str | None, user_id: str | None) -> None:
    """Write the content of a file to stdout or to another file."""
    with invocation.client() as client:
        content = client.files.read(file_id, user_id=user_id)
    if output:
        Path(output).write_bytes(content)
    else:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()


@files.command()
@file_argument
@owner_option
@pass_invocation
def rm(invocation: Invocation, /, *, file_id: str, user_id: str | None) -> None:
    """Delete a file that no turn and no session refers to."""
    with invocation.client() as client:
        client.files.delete(file_id, user_id=user_id)


def _print(invocation: Invocation, file: File, *, as_json: bool) -> None:
    invocation.terminal.write_json(file.raw) if as_json else invocation.terminal.write_line(file.id)
