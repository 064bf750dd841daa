"""Look into a chain before it runs: which of its parts are asynchronous only, and which are graphs.

LangGraph is recognized by its module, because it is only installed if a custom chain uses it.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from langchain_core.runnables import Runnable, RunnableBinding, RunnableGenerator, RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, Tool

MAX_PARTS = 10_000  # a chain that builds its parts on access has no end


def is_graph(chain: object) -> bool:
    """Return whether it is a compiled LangGraph graph, also behind `with_config`, `with_retry` or `bind`."""
    while isinstance(chain, RunnableBinding):
        chain = chain.bound
    return _is_compiled(chain)


def contains_graph(chain: object) -> bool:
    """Return whether it is a graph, or has one as a step."""
    return any(map(_is_compiled, parts_of(chain)))


def has_checkpointer(chain: object) -> bool:
    """Return whether a graph in the chain keeps its state; `True` means the checkpointer of an outer graph."""
    graphs = filter(_is_compiled, parts_of(chain))
    return any(getattr(graph, "checkpointer", None) not in {None, False, True} for graph in graphs)


def needs_loop(chain: object) -> bool:
    """Return whether a part of the chain can only be called from asynchronous code."""
    return any(map(_is_async_only, parts_of(chain)))


def parts_of(chain: object) -> Iterator[object]:
    """Yield the chain and all runnables, graph nodes and tools in it."""
    pending, seen = [chain], set[int]()
    while pending and len(seen) < MAX_PARTS:
        part = pending.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            pending += _inner_parts(part)


def _inner_parts(part: object) -> Iterator[object]:
    if isinstance(part, RunnableLambda):
        yield from part.deps
    yield from _parts_among(vars(part).values() if hasattr(part, "__dict__") else ())


def _parts_among(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if isinstance(value, Runnable) or _is_from_langgraph(value):
            yield value
        elif isinstance(value, Mapping):
            yield from _parts_among(list(value.values()))
        elif isinstance(value, list | tuple):
            yield from _parts_among(value)


def _is_async_only(part: object) -> bool:
    match part:
        case RunnableLambda():
            return not hasattr(part, "func")
        case RunnableGenerator():
            return not hasattr(part, "_transform")
        case StructuredTool() | Tool():
            return part.func is None
        case BaseTool():
            return False
    has_only_async = getattr(part, "func", part) is None and getattr(part, "afunc", None) is not None
    return _is_from_langgraph(part) and has_only_async


def _is_from_langgraph(value: object) -> bool:
    return any(base.__module__.startswith("langgraph.") for base in type(value).__mro__)


def _is_compiled(value: Any) -> bool:
    return _is_from_langgraph(value) and isinstance(value, Runnable) and hasattr(value, "nodes")
