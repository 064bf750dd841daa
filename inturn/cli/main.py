"""The command `inturn`: its subcommands, its error messages and its exit code."""

import os
import sys
import warnings

import click

import inturn
from inturn.cli.commands.batch import batch
from inturn.cli.commands.chat import chat
from inturn.cli.commands.edits import delete, fork, regenerate
from inturn.cli.commands.files import files
from inturn.cli.commands.send import send
from inturn.cli.commands.service import chains, doctor, size, up, web, worker
from inturn.cli.commands.sessions import sessions
from inturn.cli.commands.turns import get, retry, turns
from inturn.cli.commands.usage import usage
from inturn.cli.commands.users import users
from inturn.cli.commands.watch import watch
from inturn.cli.exit_codes import Exit, exit_code_for_error
from inturn.cli.operator.audit import audit
from inturn.cli.operator.cancel import cancel
from inturn.cli.operator.failed import failed
from inturn.cli.operator.find import find
from inturn.cli.operator.jobs import jobs
from inturn.cli.operator.keys import keys
from inturn.cli.operator.pauses import pause, pauses, resume
from inturn.cli.operator.tenants import tenants
from inturn.cli.operator.workers import drain, rescue, workers
from inturn.cli.options import Invocation, OrderedGroup
from inturn.cli.terminal.output import OutputClosed, Terminal
from inturn.cli.top.command import top
from inturn.errors import InTurnError, InvalidRequest, Unreachable


@click.group(
    cls=OrderedGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="The API key is read from INTURN_API_KEY only, because other users of this machine can see command lines. "
    "Answers and tables go to stdout, everything else to stderr. Exit codes: docs/reference/client.md.",
)
@click.option(
    "--url", metavar="URL", envvar="INTURN_URL", help="URL of the service.  [INTURN_URL; http://127.0.0.1:8000]"
)
@click.version_option(inturn.__version__, prog_name="inturn", message="%(prog)s %(version)s")
@click.pass_context
def cli(context: click.Context, url: str | None) -> None:
    """Command-line client for InTurn, a queue for chat turns.

    The turns of a session run in order, each takes effect exactly once, and none is lost, even if this command is
    interrupted.

    \b
      inturn up                                     start everything on this machine
      inturn chat                                   chat, in another terminal
      inturn send "What does cosine mean?"
      git diff | inturn send -                      read the input from a pipe
    """
    context.obj = Invocation(url, Terminal())


for command in (
    up,
    chat,
    send,
    get,
    cancel,
    retry,
    regenerate,
    fork,
    delete,
    sessions,
    watch,
    files,
    turns,
    users,
    batch,
    usage,
    top,
    find,
    tenants,
    failed,
    jobs,
    pauses,
    pause,
    resume,
    workers,
    drain,
    rescue,
    keys,
    audit,
    doctor,
    size,
    web,
    worker,
    chains,
):
    cli.add_command(command)


def main() -> int:
    """Run the command, print its errors and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # an answer may not fit the terminal's encoding
    warnings.showwarning = _show_warning
    try:
        return int(cli.main(prog_name="inturn", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except InTurnError as error:
        Terminal().print_error(_with_advice(error))
        return exit_code_for_error(error)
    except OutputClosed:  # Python flushes stdout at exit; without this it would print a BrokenPipeError
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK


def _show_warning(message: Warning | str, *_: object, **__: object) -> None:
    """Print a warning without the line of code that has caused it."""
    Terminal().print_error(str(message))


def _with_advice(error: InTurnError) -> str:
    if isinstance(error, Unreachable):
        return f"{error}\nIs the service running? Start it with `inturn up`, or set --url or INTURN_URL."
    if error.code == "unauthenticated" and os.environ.get("INTURN_API_KEY"):
        return f"{error}\nThe key was read from INTURN_API_KEY."
    if error.code == "unauthenticated":
        return f"{error}\nSet INTURN_API_KEY."
    if isinstance(error, InvalidRequest) and any(wrong.field.startswith("variables.") for wrong in error.errors):
        return f"{error}\nSet variables with --var NAME=VALUE."
    return str(error)
