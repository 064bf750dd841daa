"""The call of a custom chain for one turn: what the chain receives, and how its chunks are read."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.utils import AddableDict

from turns.domain.ids import tenant_of
from turns.domain.run.claim import Claim
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_output import ChainObject, GraphMessages
from worker.langchain.chain_parts import contains_graph, find_refusal, needs_loop
from worker.langchain.chain_thread import Chunks, OnAbandon
from worker.langchain.graph_stream import ALIVE, GraphData, GraphState, GraphText, streaming
from worker.langchain.model_calls import MODEL_TAG, ModelCallObserver
from worker.langchain.output.events import data_event


@dataclass(slots=True)
class CustomChain:
    """A chain, and what determines how it is called."""

    runnable: Runnable[Any, Any]
    streamed: Runnable[Any, Any] = field(init=False)
    contains_graph: bool = field(init=False)
    is_async: bool = field(init=False)

    def __post_init__(self) -> None:
        self.streamed = streaming(self.runnable)
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

    def __init__(
        self,
        claim: Claim,
        history: list[BaseMessage],
        observer: ModelCallObserver,
        *others: BaseCallbackHandler,
        question: HumanMessage | None = None,
    ) -> None:
        """`others` are further callbacks; `question` has the files of the question, if it is more than text."""
        question_id = f"{claim.turn_id}_human"
        self._question = (
            question.model_copy(update={"id": question_id}) if question else HumanMessage(claim.input, id=question_id)
        )
        self._values: dict[str, Any] = {**claim.variables, "input": claim.input, "history": history}
        if len(claim.assistant.accepts) > 1:  # a chain that can take parts finds the question there in each turn
            self._values["question"] = [self._question]
        self._messages = [*history, self._question]
        self._observer = observer
        self._config = run_config(claim, observer, *others)

    def chunks(self, chain: CustomChain, loop: ChainLoop | None, on_abandon: OnAbandon) -> Chunks:
        """Yield what the chain yields. Without a loop, an asynchronous chain raises."""
        values = {**self._values, "messages": self._messages} if chain.contains_graph else self._values
        for part in self._parts(chain, values, loop, on_abandon):
            match part:
                case GraphText(message):
                    yield message
                case GraphData(value):
                    yield data_event(value)
                case GraphState(before, after):
                    yield from read_state(after, before)
                case Mapping() if chain.contains_graph and not isinstance(part, AddableDict):
                    yield from read_state(part, values)  # a function has called the graph
                case _:
                    yield part

    def _parts(
        self, chain: CustomChain, values: dict[str, Any], loop: ChainLoop | None, on_abandon: OnAbandon
    ) -> Iterator[Any]:
        if chain.is_async:
            if loop is None:
                raise TypeError('the chain is asynchronous; remove runs_in = "loop" from its assistant')
            return loop.iterate(lambda: chain.streamed.astream(values, self._config), on_abandon)
        return self._synchronous(chain, values, loop, on_abandon)

    def _synchronous(
        self, chain: CustomChain, values: dict[str, Any], loop: ChainLoop | None, on_abandon: OnAbandon
    ) -> Iterator[Any]:
        """Yield from the chain; if it turns out to be asynchronous only before it has done anything, from the loop."""
        has_yielded = False
        try:
            for part in chain.streamed.stream(values, self._config):
                has_yielded = has_yielded or part is not ALIVE
                yield part
        except NotImplementedError:
            if has_yielded or self._observer.has_seen_calls or loop is None:
                raise
            chain.is_async = True
            yield from loop.iterate(lambda: chain.streamed.astream(values, self._config), on_abandon)


def read_state(state: Any, before: Any) -> Iterator[Any]:
    """Yield the new messages in the final state of a graph, or what else it has beside the state before."""
    if not isinstance(state, Mapping):
        yield state
        return
    if "__interrupt__" in state:
        raise TypeError("the graph called interrupt(); a turn cannot wait for a person, so answer with the question")
    before = before if isinstance(before, Mapping) else {}
    if new := new_messages(state.get("messages"), before.get("messages")):
        yield GraphMessages(new)
        if "structured_response" in state:
            yield ChainObject(state["structured_response"])
    elif rest := {name: value for name, value in state.items() if value is not before.get(name)}:
        yield rest


def new_messages(messages: Any, before: Any) -> list[BaseMessage]:
    """Return the messages after the last one that was there before. LangGraph gives each message an id."""
    if not isinstance(messages, list):
        return []
    known = {id(message) for message in before or ()} | {message.id for message in before or () if message.id}
    ends = [n for n, message in enumerate(messages, 1) if known & {id(message), message.id}]
    return messages[max(ends, default=0) :]


def run_config(claim: Claim, *callbacks: BaseCallbackHandler) -> RunnableConfig:
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
        **({"response_format": claim.response_format} if claim.response_format else {}),
    }
    return {"callbacks": list(callbacks), "configurable": identity, "metadata": dict(claim.metadata)}
