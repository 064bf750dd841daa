"""The command `inturn`: its commands, and how each of them ends."""

import os
import sys
from importlib.metadata import version

import click

from inturn.cli import exit_codes
from inturn.cli.commands.batch import batch
from inturn.cli.commands.chat import chat
from inturn.cli.commands.send import send
from inturn.cli.commands.service import doctor, keys, up
from inturn.cli.commands.sessions import sessions
from inturn.cli.commands.top import top
from inturn.cli.commands.turns import cancel, get, retry, turns
from inturn.cli.exit_codes import Exit
from inturn.cli.options import InOrder, Invocation
from inturn.cli.terminal.output import ReaderLeft, Terminal
from inturn.errors import InTurnError, Unreachable


@click.group(
    cls=InOrder,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="An API key is taken from INTURN_API_KEY alone: on a command line others could read it. "
    "Answers and tables go to stdout, all else to stderr. Exit codes: docs/client.md.",
)
@click.option("--url", metavar="URL", envvar="INTURN_URL", help="The service.  [INTURN_URL; http://127.0.0.1:8000]")
@click.version_option(version("inturn"), prog_name="inturn", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, url: str | None) -> None:
    """Talk to a queue for chat turns.

    Turns of a session run in order, each takes effect once, and none is lost, whatever becomes of this command.

    \b
      inturn up                                     everything on this machine
      inturn chat                                   talk, in another terminal
      inturn send "What does cosine mean?" -v ability=math
      git diff | inturn send - -v ability=review    what comes in by a pipe
    """
    context.obj = Invocation(url, Terminal())


for command in (up, chat, send, get, cancel, retry, sessions, turns, batch, top, doctor, keys):
    cli.add_command(command)


def main() -> int:
    """The exit code, after all has been said."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # no terminal is too poor for an answer
    try:
        return int(cli.main(prog_name="inturn", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except InTurnError as error:
        Terminal().complain(_explained(error))
        return exit_codes.of_error(error)
    except ReaderLeft:  # what is still to be flushed goes nowhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _explained(error: InTurnError) -> str:
    if isinstance(error, Unreachable):
        return f"{error}\nIs it running? `inturn up` starts one here; --url or INTURN_URL names another."
    if error.code == "unauthenticated":
        return f"{error}\nSet INTURN_API_KEY."
    if error.message.startswith("variables."):
        return f"{error}\nVariables are given with --var NAME=VALUE."
    return str(error)
