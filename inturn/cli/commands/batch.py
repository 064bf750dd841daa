"""The command `inturn batch`."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.files.batch_file import BatchFileError, BatchInput, BatchResults
from inturn.cli.options import Invocation, parse_variables, pass_invocation
from inturn.cli.terminal.output import Terminal, console

if TYPE_CHECKING:
    from rich.progress import Progress

BATCH_RETRIES = 15  # over a minute, because a batch runs unattended


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Result file.  [FILE.results.jsonl]"
)
@click.option("-a", "--assistant", metavar="NAME", help="Assistant for lines that do not name one.")
@click.option(
    "-v",
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    callback=parse_variables,
    help="Variable for lines without variables; repeatable.",
)
@click.option("--force", is_flag=True, help="Start over and replace existing results.")
@pass_invocation
@click.pass_context
def batch(
    context: click.Context,
    invocation: Invocation,
    /,
    *,
    file: Path,
    output: Path | None,
    assistant: str | None,
    variables: dict[str, str],
    force: bool,
) -> None:
    """Run each line of FILE as a turn and write the results in the same order.

    Each line is a JSON object like the body of POST /v1/turns; only "input" is required. A line without "session_id"
    gets a new session. Each result has the line's number and its "turn" or "problem".

    If interrupted, run the same command again to resume; no turn runs twice. Partial results are kept in OUTPUT.part.
    """
    defaults = {"assistant": assistant, "variables": variables or None}
    results = BatchResults(output or file.with_name(f"{file.name}.results.jsonl"))
    try:
        turns = BatchInput.load(file, defaults)
        results.open(turns.digest, force=force)
    except BatchFileError as error:
        raise click.ClickException(str(error)) from None
    without_answer = _run(invocation, turns, results)
    invocation.terminal.print_notice(f"{len(turns.bodies)} turns, {without_answer} without an answer: {results.path}")
    context.exit(Exit.NO_ANSWER if without_answer else Exit.OK)


def _run(invocation: Invocation, turns: BatchInput, results: BatchResults) -> int:
    total = len(turns.bodies)
    with (
        contextlib.closing(results),
        invocation.client(max_retries=BATCH_RETRIES) as client,
        ProgressBar(invocation.terminal, done=results.done, total=total) as bar,
    ):
        try:
            for result in turns.run(client.turns, results.run_name, start=results.done):
                results.append(result)
                bar.advance()
        except KeyboardInterrupt:
            invocation.terminal.print_notice(
                f"Interrupted after {results.done} of {total}. Run the same command again to resume."
            )
            raise
    return results.finish()


class ProgressBar:
    """Shown only if stderr is a terminal."""

    def __init__(self, terminal: Terminal, *, done: int, total: int) -> None:
        self._progress: Progress | None = None
        if terminal.stderr_is_terminal:
            from rich import progress

            columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
            self._progress = progress.Progress(*columns, console=console(stderr=True))
            self._task = self._progress.add_task("", completed=done, total=total)

    def advance(self) -> None:
        if self._progress:
            self._progress.advance(self._task)

    def __enter__(self) -> "ProgressBar":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._progress:
            self._progress.stop()
