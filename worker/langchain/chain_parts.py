"""Look into a chain before it runs: which of its parts are asynchronous only, which are graphs, and what is refused.

LangGraph is recognized by its module, because it is only installed if a custom chain uses it.
"""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType
from typing import Any

from langchain_core.runnables import Runnable, RunnableBinding, RunnableGenerator, RunnableLambda
from langchain_core.tools import BaseTool, StructuredTool, Tool

MAX_PARTS = 10_000  # a chain that builds its parts on access has no end


def is_graph(chain: object) -> bool:
    """Return whether it is a compiled LangGraph graph, also behind `with_config`, `with_retry` or `bind`."""
    while isinstance(chain, RunnableBinding):
        chain = chain.bound
    return is_compiled(chain)


def is_compiled(value: Any) -> bool:
    """Return whether it is a compiled LangGraph graph."""
    return _is_from_langgraph(value) and isinstance(value, Runnable) and hasattr(value, "nodes")


def contains_graph(chain: object) -> bool:
    """Return whether it is a graph, or has one as a step."""
    return any(map(is_compiled, parts_of(chain)))


def find_refusal(chain: object) -> str | None:
    """Return why no turn may run this chain, and what to do; None if it may run."""
    return next(filter(None, map(_refusal_of_part, parts_of(chain))), None)


def _refusal_of_part(part: Any) -> str | None:
    config = _attributes(part).get("config")
    if isinstance(config, Mapping) and "thread_id" in (config.get("configurable") or ()):
        return (
            "a part of the chain has a fixed thread_id, which would mix the sessions of all users; remove it, because "
            "each run receives the thread_id of its session"
        )
    if not is_compiled(part):
        return None
    # `True` means the checkpointer of an outer graph.
    if getattr(part, "checkpointer", None) not in {None, False, True}:
        return (
            "the graph has a checkpointer; compile it without one: the session's history is already kept, and a "
            "checkpointer would also keep the messages of attempts that failed"
        )
    if getattr(part, "interrupt_before_nodes", None) or getattr(part, "interrupt_after_nodes", None):
        return (
            "the graph is compiled with interrupt_before or interrupt_after; compile it without them, because a turn "
            "cannot wait for a person"
        )
    return None


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
    attributes = list(_attributes(part).values())
    yield from _parts_among(attributes)
    for function in filter(inspect.isfunction, attributes):
        yield from _parts_in_scope(function)


def _parts_among(values: Iterable[object]) -> Iterator[object]:
    for value in values:
        if (part := _part_of(value)) is not None:
            yield part
        elif isinstance(value, Mapping):
            yield from _parts_among(list(value.values()))
        elif isinstance(value, list | tuple):
            yield from _parts_among(value)


def _parts_in_scope(function: FunctionType) -> Iterator[object]:
    """Yield the parts that the code of a function names, such as the graph that a node or a tool calls."""
    try:
        scope = inspect.getclosurevars(function)
    except ValueError:  # a variable of an outer function has no value yet
        return
    for value in (*scope.nonlocals.values(), *scope.globals.values()):
        if (part := _part_of(value)) is not None:
            yield part


def _part_of(value: object) -> object | None:
    """Return the value, or the owner of a method such as `graph.invoke`, if it is a part of a chain."""
    part = value.__self__ if isinstance(value, MethodType) else value
    return part if isinstance(part, Runnable) or _is_from_langgraph(part) else None


def _attributes(part: object) -> Mapping[str, object]:
    return vars(part) if hasattr(part, "__dict__") else {}


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
