"""The call of a custom chain for one turn: what the chain receives, and how its chunks are read.

Graphs are called in a mode that yields the text of their models and their whole state. A chain that contains a graph as
a step is called at once, because LangChain would pass only the last change of the graph's state to the next step.
"""

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig

from turns.domain.ids import tenant_of
from turns.domain.turn import Claim
from worker.langchain.chain import MODEL_TAG, ModelCallObserver
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_output import ChainObject, GraphMessages
from worker.langchain.chain_parts import contains_graph, find_refusal, is_graph, needs_loop
from worker.langchain.chain_thread import Chunks, OnAbandon

GRAPH_OPTIONS = {"stream_mode": ["messages", "values"]}


@dataclass(slots=True)
class CustomChain:
    """A chain, and what determines how it is called."""

    runnable: Runnable[Any, Any]
    is_graph: bool = field(init=False)
    contains_graph: bool = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        self.is_graph = is_graph(self.runnable)
        self.contains_graph = contains_graph(self.runnable)
        self.is_async = needs_loop(self.runnable)


class ChainRefused(TypeError):
    """No turn can run this chain. The message explains what to do."""


def build_custom_chain(factory: Callable[..., Any], model: BaseChatModel) -> CustomChain:
    """Call the factory, with the model if it takes one. Raise what it raises, and `ChainRefused`."""
    takes_model = "model" in inspect.signature(factory).parameters
    chain = factory(model=model.model_copy(update={"tags": [MODEL_TAG]})) if takes_model else factory()
    if not isinstance(chain, Runnable):
        raise ChainRefused(f"the factory returned a {type(chain).__name__}; it must return a Runnable")
    if refusal := find_refusal(chain):
        raise ChainRefused(refusal)
    return CustomChain(chain)


class ChainCall:
    """One call of a custom chain."""

    def __init__(self, claim: Claim, history: list[BaseMessage], observer: ModelCallObserver) -> None:
        self._question = HumanMessage(claim.input, id=f"{claim.turn_id}_human")
        self._values = {**claim.variables, "input": claim.input, "history": history}
        self._messages = [*history, self._question]
        self._observer = observer
        self._config = run_config(claim, observer)

    def chunks(self, chain: CustomChain, loop: ChainLoop | None, on_abandon: OnAbandon) -> Chunks:
        """Yield what the chain yields. Without a loop, an asynchronous chain raises."""
        values = {**self._values, "messages": self._messages} if chain.contains_graph else self._values
        parts = self._parts(chain, values, loop, on_abandon)
        if chain.is_graph:
            yield from self._read_graph(parts, values)
        elif chain.contains_graph:
            for result in parts:
                yield from self._read_state(result, values)
        else:
            yield from parts

    def _parts(
        self, chain: CustomChain, values: dict[str, Any], loop: ChainLoop | None, on_abandon: OnAbandon
    ) -> Iterator[Any]:
        if chain.is_async:
            if loop is None:
                raise TypeError('the chain is asynchronous; remove runs_in = "loop" from its assistant')
            return loop.iterate(lambda: self._asynchronous(chain, values), on_abandon)
        return self._synchronous(chain, values, loop, on_abandon)

    def _synchronous(
        self, chain: CustomChain, values: dict[str, Any], loop: ChainLoop | None, on_abandon: OnAbandon
    ) -> Iterator[Any]:
        """Yield from the chain; if it turns out to be asynchronous only before it has done anything, from the loop."""
        has_yielded = False
        try:
            for part in self._stream(chain, values):
                has_yielded = True
                yield part
        except NotImplementedError:
            if has_yielded or self._observer.has_seen_calls or loop is None:
                raise
            chain.is_async = True
            yield from loop.iterate(lambda: self._asynchronous(chain, values), on_abandon)

    def _stream(self, chain: CustomChain, values: dict[str, Any]) -> Iterator[Any]:
        if chain.contains_graph and not chain.is_graph:
            return iter([chain.runnable.invoke(values, self._config)])
        return chain.runnable.stream(values, self._config, **(GRAPH_OPTIONS if chain.is_graph else {}))

    async def _asynchronous(self, chain: CustomChain, values: dict[str, Any]) -> AsyncIterator[Any]:
        if chain.contains_graph and not chain.is_graph:
            yield await chain.runnable.ainvoke(values, self._config)
            return
        options = GRAPH_OPTIONS if chain.is_graph else {}
        async for part in chain.runnable.astream(values, self._config, **options):
            yield part

    def _read_graph(self, parts: Iterator[Any], values: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the messages of the graph's models as they arrive, and at the end its final state."""
        state: Any = None
        for mode, part in parts:
            if mode == "values":
                state = part
            yield part[0] if mode == "messages" and isinstance(part[0], AIMessage) else ""
        yield from self._read_state(state, values)

    def _read_state(self, state: Any, values: Mapping[str, Any]) -> Iterator[Any]:
        """Yield the messages after the question in a final state, or what the state has beside the input."""
        if not isinstance(state, Mapping):
            yield state
            return
        if "__interrupt__" in state:
            raise TypeError(
                "the graph called interrupt(); a turn cannot wait for a person, so answer with the question"
            )
        if isinstance(messages := state.get("messages"), list) and messages:
            yield GraphMessages(messages[self._start(messages) :])
            if "structured_response" in state:
                yield ChainObject(state["structured_response"])
            return
        yield {name: value for name, value in state.items() if name not in values or value is not values[name]}

    def _start(self, messages: list[BaseMessage]) -> int:
        """Return the index after the question; a state without it has only new messages."""
        ids = (n for n, message in enumerate(messages, 1) if message.id == self._question.id)
        return next(ids, len(messages))


def run_config(claim: Claim, observer: ModelCallObserver) -> RunnableConfig:
    """Return the configuration of a run, which tells the chain whose turn it runs.

    LangChain copies the values of `configurable` to the metadata that tracers receive. `thread_id` differs for two
    users, and for two tenants, with the same session id.
    """
    identity = {
        "session_id": claim.session_id,
        "user_id": claim.user_id,
        "tenant": tenant_of(claim.session),
        "turn_id": claim.turn_id,
        "attempt": claim.attempt,
        "thread_id": claim.session,
    }
    return {"callbacks": [observer], "configurable": identity, "metadata": dict(claim.metadata)}
