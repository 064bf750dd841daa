"""The systems that are measured in the same run for comparison."""

import contextlib
from collections.abc import Iterator

from bench.langgraph_server import stack as langgraph
from bench.stacks import InTurnStack, PlainCeleryStack, running

INTURN = "InTurn"
PLAIN_CELERY = "plain Celery"
LANGGRAPH = "LangGraph's development server"


@contextlib.contextmanager
def running_competitors() -> Iterator[dict[str, InTurnStack]]:
    """Run plain Celery and, if it is installed, LangGraph's server; yield the stacks by name."""
    with contextlib.ExitStack() as exit_stack:
        found: dict[str, InTurnStack] = {PLAIN_CELERY: exit_stack.enter_context(running(PlainCeleryStack))}
        if langgraph.is_installed():
            found[LANGGRAPH] = exit_stack.enter_context(running(langgraph.LangGraphStack, workers=0))
        yield found


def missing_competitors() -> str:
    """Return a message if LangGraph's server is not installed, or else an empty string."""
    return "" if langgraph.is_installed() else f"without {LANGGRAPH}; to add it: make bench-langgraph"
