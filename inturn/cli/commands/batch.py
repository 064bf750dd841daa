"""`inturn batch`."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inturn.cli.exit_codes import Exit
from inturn.cli.files.batch_file import Batch, BatchFile, WrongLine
from inturn.cli.options import Invocation, named_values, pass_invocation
from inturn.cli.terminal.output import Terminal, console

if TYPE_CHECKING:
    from rich.progress import Progress

PATIENT_RETRIES = 15  # over a minute: nobody watches a batch


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Results.  [FILE.results.jsonl]")
@click.option("-a", "--assistant", metavar="NAME", help="Who answers, where a line does not say.")
@click.option(
    "-v",
    "--var",
    "variables",
    metavar="NAME=VALUE",
    multiple=True,
    callback=named_values,
    help="A variable, where a line has none.",
)
@click.option("--force", is_flag=True, help="Begin anew; results that are there are replaced.")
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
    """Run each line of FILE as a turn; results are in the same order.

    A line is a JSON object as POST /v1/turns takes it; only "input" is required. A line without "session_id" is a
    session of its own. Each result has the number of its line, and the "turn" or the "problem".

    Stopped by whatever, the same command goes on where it was, and no turn runs twice. Until all is done the results
    are in OUTPUT.part.
    """
    defaults = {"assistant": assistant, "variables": variables or None}
    results = BatchFile(output or file.with_name(f"{file.name}.results.jsonl"))
    try:
        lines = Batch.read(file, defaults)
        results.open(lines.digest, force=force)
    except WrongLine as error:
        raise click.ClickException(str(error)) from None
    without_answer = _run(invocation, lines, results)
    invocation.terminal.say(f"{len(lines.bodies)} turns, {without_answer} without an answer: {results.path}")
    context.exit(Exit.NO_ANSWER if without_answer else Exit.OK)


def _run(invocation: Invocation, lines: Batch, results: BatchFile) -> int:
    with (
        contextlib.closing(results),
        invocation.client(max_retries=PATIENT_RETRIES) as client,
        Bar(invocation.terminal, done=results.done, total=len(lines.bodies)) as bar,
    ):
        try:
            for result in lines.results(client.turns, results.run, start=results.done):
                results.append(result)
                bar.advance()
        except KeyboardInterrupt:
            invocation.terminal.say(f"Stopped after {results.done} of {len(lines.bodies)}; the same command goes on.")
            raise
    return results.finish()


class Bar:
    """Drawn on a terminal; elsewhere it is never there."""

    def __init__(self, terminal: Terminal, *, done: int, total: int) -> None:
        self._progress: Progress | None = None
        if terminal.shows_talk:
            from rich import progress

            columns = (progress.BarColumn(), progress.MofNCompleteColumn(), progress.TimeRemainingColumn())
            self._progress = progress.Progress(*columns, console=console(for_talk=True))
            self._task = self._progress.add_task("", completed=done, total=total)

    def advance(self) -> None:
        if self._progress:
            self._progress.advance(self._task)

    def __enter__(self) -> "Bar":
        if self._progress:
            self._progress.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._progress:
            self._progress.stop()
