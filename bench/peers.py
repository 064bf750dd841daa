"""What is measured beside ours in the same run."""

import contextlib
from collections.abc import Iterator

from bench.langgraph_server import stack as langgraph
from bench.stacks import Ours, ThirtyLines, running

OURS = "InTurn"
THIRTY_LINES = "the thirty lines"
LANGGRAPH = "LangGraph's development server"


@contextlib.contextmanager
def peers() -> Iterator[dict[str, Ours]]:
    """By name; LangGraph's server where it is installed."""
    with contextlib.ExitStack() as running_now:
        found: dict[str, Ours] = {THIRTY_LINES: running_now.enter_context(running(ThirtyLines))}
        if langgraph.is_installed():
            found[LANGGRAPH] = running_now.enter_context(running(langgraph.LangGraph, workers=0))
        yield found


def missing() -> str:
    return "" if langgraph.is_installed() else f"without {LANGGRAPH}: make bench-langgraph installs it"
