"""Make a chain stream the text of the graphs in it, as far as that text is the chain's answer.

LangGraph yields the text of a graph's models only if `stream` is called with `stream_mode`, which LangChain passes to
the first step of a sequence at most, and the next step would get only the last change of the graph's state. So a graph
that ends the chain is replaced by one that streams its text and then its state, and an earlier step that contains a
graph by one that yields its result at once.
"""

import copy
import functools
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial
from typing import Any

from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    Runnable,
    RunnableBinding,
    RunnableBranch,
    RunnableConfig,
    RunnableLambda,
    RunnableSequence,
    RunnableWithFallbacks,
)
from langchain_core.runnables.retry import RunnableRetry

from worker.langchain.chain_parts import contains_graph, is_compiled

MODES = ["messages", "values", "custom"]
ALIVE = ""  # a chunk without text: the graph has made a step, so the time limit until the next chunk starts again


@dataclass(frozen=True, slots=True)
class GraphText:
    """A message of a graph's models, or a chunk of one."""

    message: AIMessage

    def __add__(self, other: object) -> object:
        """Return the other one. LangChain adds up for its tracers what streams, and the last one is the result."""
        return other


@dataclass(frozen=True, slots=True)
class GraphData:
    """What a graph sends with LangGraph's stream writer."""

    value: Any

    def __add__(self, other: object) -> object:
        """Return the other one, as `GraphText` does."""
        return other


@dataclass(frozen=True, slots=True)
class GraphState:
    """The state of a graph before its first node, and its final one."""

    before: Any
    after: Any


def streaming(chain: Runnable[Any, Any], *, beats: bool = True) -> Runnable[Any, Any]:
    """Return a chain with the same result that streams the text of the graphs with which it ends.

    With `beats` the graphs also yield `ALIVE` after their steps.
    """
    if is_compiled(chain):
        return StreamedGraph(chain, beats=beats)
    replace = partial(streaming, beats=beats)
    match chain:
        case _ if not contains_graph(chain):
            replaced = chain
        case RunnableSequence():
            *steps, last = chain.steps
            replaced = RunnableSequence(*map(_at_once, steps), replace(last), name=chain.name)
        case RunnableBinding():
            replaced = chain.model_copy(update={"bound": replace(chain.bound)})
        case RunnableRetry(retry_exception_types=tuple(errors)):
            replaced = _until_it_yields([chain.bound] * chain.max_attempt_number, errors)
        case RunnableWithFallbacks(exception_key=None):
            replaced = _until_it_yields(list(chain.runnables), chain.exceptions_to_handle)
        case RunnableBranch():
            branches = [(condition, replace(branch)) for condition, branch in chain.branches]
            replaced = chain.model_copy(update={"branches": branches, "default": replace(chain.default)})
        case RunnableLambda():
            replaced = _streaming_function(chain)
        case _:
            replaced = AtOnce(chain)
    return replaced


def _at_once(step: Runnable[Any, Any]) -> Runnable[Any, Any]:
    return AtOnce(step) if contains_graph(step) else step


def _until_it_yields(
    chains: list[Runnable[Any, Any]], errors: tuple[type[BaseException], ...]
) -> RunnableWithFallbacks[Any, Any]:
    """Return a chain that tries these in turn, until one has yielded something: what is streamed stays."""
    first, *others = (streaming(chain, beats=False) for chain in chains)
    return RunnableWithFallbacks(runnable=first, fallbacks=others, exceptions_to_handle=errors)


def _streaming_function(chain: RunnableLambda[Any, Any]) -> RunnableLambda[Any, Any]:
    """Return a copy of which the result streams too if it is a chain, which LangChain then calls."""
    replaced = copy.copy(chain)
    for name in ("func", "afunc"):
        function = getattr(chain, name, None)
        if function and not inspect.isgeneratorfunction(function) and not inspect.isasyncgenfunction(function):
            setattr(replaced, name, _streaming_result(function))
    return replaced


def _streaming_result(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)  # LangChain reads from the signature whether it takes the configuration
    def call(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        return streaming(result) if isinstance(result, Runnable) else result

    @functools.wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        result = await function(*args, **kwargs)
        return streaming(result) if isinstance(result, Runnable) else result

    return call_async if inspect.iscoroutinefunction(function) else call


class AtOnce(Runnable[Any, Any]):
    """A step that yields its whole result at once, because LangChain calls `invoke` of a step without `stream`."""

    def __init__(self, step: Runnable[Any, Any]) -> None:
        self._step = step

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002  # its name
        return self._step.invoke(input, config, **kwargs)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        return await self._step.ainvoke(input, config, **kwargs)


class StreamedGraph(AtOnce):
    """A graph that yields the text of its models as it is generated, and at its end its state."""

    def __init__(self, graph: Runnable[Any, Any], *, beats: bool) -> None:
        super().__init__(graph)
        self._beats = beats

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002
        reader = GraphReader()
        with closing(self._step.stream(input, config, **{**kwargs, "stream_mode": MODES})) as parts:  # type: ignore[type-var]
            for mode, part in parts:
                if (chunk := reader.read(mode, part)) is not ALIVE or self._beats:
                    yield chunk
        yield reader.state()

    async def astream(
        self,
        input: Any,  # noqa: A002
        config: RunnableConfig | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[Any]:
        reader = GraphReader()
        async with aclosing(self._step.astream(input, config, **{**kwargs, "stream_mode": MODES})) as parts:  # type: ignore[type-var]
            async for mode, part in parts:
                if (chunk := reader.read(mode, part)) is not ALIVE or self._beats:
                    yield chunk
        yield reader.state()


class GraphReader:
    """Reads what a graph yields in `MODES`."""

    def __init__(self) -> None:
        self._states: list[Any] = []

    def read(self, mode: str, part: Any) -> GraphText | GraphData | str:
        """Return the text of a model, data, or `ALIVE`."""
        if mode == "custom":
            return GraphData(part)
        if mode == "values":
            self._states = [*self._states[:1], part]
        return GraphText(part[0]) if mode == "messages" and isinstance(part[0], AIMessage) else ALIVE

    def state(self) -> GraphState:
        """Return the states that have been read."""
        return GraphState(before=self._states[0], after=self._states[-1])
