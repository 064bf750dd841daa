"""The commands that run programs of the service on this machine, such as `inturn up` and `inturn doctor`."""

import click

from inturn.cli.service_program import exec_module


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
    exec_module("supervisor", **{name: str(value) for name, value in options.items() if value is not None})


@click.command()
def web() -> None:
    """Run one process of the endpoint, for your own process supervisor.

    Needs REDIS_URL, or the data directory of `inturn up`.
    """
    exec_module("web")


@click.command()
@click.option("--chains", is_flag=True, help="Run the turns of custom chains instead of all others.")
def worker(chains: bool) -> None:
    """Run one worker process, for your own process supervisor.

    Needs REDIS_URL, or the data directory of `inturn up`.
    """
    exec_module("worker", *(["--chains"] if chains else []))


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
    exec_module("worker.check_chain", chain, "--input", question, *options)


@click.command()
@click.option("--ask-model", is_flag=True, help="Also request one token from the model, which costs that token.")
def doctor(ask_model: bool) -> None:
    """Check the installation and print a fix for each problem. The exit code is 1 if there is a problem.

    Checks the store, its durability and clock, workers, endpoint, keys, model and package versions, with the settings
    of this shell.
    """
    exec_module("supervisor.doctor", *(["--ask-model"] if ask_model else []))


@click.command(context_settings={"show_default": True})
@click.option("--turns-per-day", type=float, required=True, help="Turns of a day.")
@click.option("--question-bytes", type=float, default=100, help="Length of a question in UTF-8.")
@click.option("--answer-bytes", type=float, default=600, help="Length of an answer in UTF-8.")
@click.option("--turn-seconds", type=float, default=6, help="Time in which the model answers.")
@click.option("--turns-per-session", type=float, default=5, help="Turns of a session.")
@click.option("--peak", type=float, default=4, help="Rate in the busiest minutes, in daily averages.")
@click.option("--streamed", type=float, default=100, help="Percentage of turns that are streamed.")
@click.option("--with-events", type=float, default=5, help="Percentage that fail, or stream more than text.")
@click.option("--primary-gb", type=float, default=64, help="Memory of a primary of the store.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the constants and their sources.")
def size(as_json: bool, **load: float) -> None:
    """Print what a load needs: memory by retention, primaries, workers and bandwidth.

    The retention times and the other settings are those of this shell. Nothing is connected to.
    """
    options = [f"--{name.replace('_', '-')}={value}" for name, value in load.items()]
    exec_module("turns.sizing", *options, *(["--json"] if as_json else []))
