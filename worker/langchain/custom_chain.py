"""A chain of somebody's own: any Runnable over `input`, `history` and the variables, that gives text or messages.

All that it says is the answer. It gets the rest like any other chain: order, a history that is written once, cancel,
retries, limits.
"""

import inspect
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, ToolMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable

from turns.domain.assistant import HistoryMode
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.turn import Answer, Claim
from worker.langchain.chain import CUT, OURS, ModelCallObserver, Run
from worker.langchain.history import StagedHistory, complete, is_legal, whole
from worker.langchain.message_codec import stored_message


def build_custom_chain(factory: Callable[..., Any], model: BaseChatModel) -> Runnable[Any, Any]:
    """What the factory returns. One that has a parameter `model` is given the assistant's. Raises what it raises."""
    takes_model = "model" in inspect.signature(factory).parameters
    made = factory(model=model.model_copy(update={"tags": [OURS]})) if takes_model else factory()
    if not isinstance(made, Runnable):
        raise TypeError(f"the factory returned a {type(made).__name__}; it must return a Runnable")
    return made


class CustomChainRun(Run):
    """One attempt at a turn with a chain of somebody's own."""

    def __init__(self, build: Callable[[], Runnable[Any, Any]], claim: Claim) -> None:
        self._claim = claim
        self._history = StagedHistory(claim.messages, most_tokens=claim.assistant.history_tokens)
        self._build = build  # only when it runs: what goes wrong then is the turn's failure
        self._given = ChainOutput()
        self._witness = ModelCallObserver()

    def pieces(self, check: Callable[[], object] = lambda: None) -> Iterator[str]:
        """As `Run.pieces`; what the chain itself raises passes."""
        self._witness.check = check  # a graph runs its models in threads of its own, where no interrupt comes
        chunks = self._stream(self._build())
        try:
            for chunk in chunks:
                yield self._given.take(chunk)
            yield self._given.rest()
        except Exception as error:
            if known := self._witness.explain(error):
                raise known from error
            raise
        finally:
            chunks.close()  # closes the provider's connection at once

    def answer(self) -> Answer:
        """As `Run.answer`."""
        said, turn_id, witness = self._given.said, self._claim.turn_id, self._witness
        if witness.problem:
            raise witness.problem
        if not said:
            raise ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message="the chain gave no text")
        *between, last = self._steps(said)
        return Answer(
            question_message=stored_message(HumanMessage(content=self._claim.input), turn_id=turn_id),
            between_messages=tuple(stored_message(m, turn_id=turn_id, step=n) for n, m in enumerate(between, 1)),
            answer_message=stored_message(last, turn_id=turn_id),
            output=said,
            model=witness.model or self._claim.model,
            usage=witness.usage,
            status_reason=CUT if witness.finish_reason == CUT else None,
        )

    def _steps(self, said: str) -> Sequence[BaseMessage]:
        """What enters the history after the question. A provider would refuse a tool call without its result."""
        steps = self._given.messages
        return steps if self._claim.assistant.history is HistoryMode.FULL and is_legal(steps) else [AIMessage(said)]

    def _stream(self, chain: Runnable[Any, Any]) -> "Generator[Any, None, None]":
        history = self._history.messages
        given = {**self._claim.variables, "input": self._claim.input, "history": history}
        # LangGraph is not imported here: who brings a graph has it.
        if any(base.__module__.startswith("langgraph.") for base in type(chain).__mro__):
            question = HumanMessage(self._claim.input, id=f"{self._claim.turn_id}_human")
            yield from self._stream_graph(chain, {**given, "messages": [*history, question]}, question.id)
        else:
            yield from chain.stream(given, {"callbacks": [self._witness]})

    def _stream_graph(self, graph: Any, state: dict[str, Any], question_id: str | None) -> Iterator[Any]:
        """The messages of a graph's models as they come, and at the end what its state says came after the question."""
        final: list[BaseMessage] = []
        modes = ["messages", "values"]
        for mode, found in graph.stream(state, {"callbacks": [self._witness]}, stream_mode=modes):
            if mode == "values":
                final = found["messages"]
            yield found[0] if mode == "messages" and isinstance(found[0], AIMessage) else ""
        place = next((n for n, m in enumerate(final, 1) if m.id == question_id), len(final))
        yield GraphMessages(final[place:])


@dataclass(frozen=True, slots=True)
class GraphMessages:
    """All that came after the question, as a graph's state has it."""

    messages: list[BaseMessage]


class ChainOutput:
    """What a chain has given so far: what it said, and the messages that it made."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._made: list[list[Any]] = []  # each message, or the chunks of it
        self._exchanged: list[BaseMessage] | None = None
        self._is_apart = False

    @property
    def said(self) -> str:
        return "".join(self._said)

    @property
    def messages(self) -> list[BaseMessage]:
        return [complete(whole(parts)) for parts in self._made] if self._exchanged is None else self._exchanged

    def take(self, chunk: object) -> str:
        """What is to be said now. Raises `TypeError` for what is neither text nor a message."""
        match chunk:
            case str():
                return self._say(chunk)
            case AIMessage():
                if not self._continues(chunk):
                    self._made.append([])
                    self._is_apart = bool(self._said)
                self._made[-1].append(chunk)
                return self._say(str(chunk.text))
            case ToolMessage():
                self._made.append([chunk])
                return ""
            case GraphMessages(messages):
                self._exchanged = messages
                return ""
            case PromptValue():  # what LangChain adds the messages up to that a function of a RunnableLambda yields
                return ""
            case [*messages] if all(isinstance(message, AIMessage | ToolMessage) for message in messages):
                return "".join(map(self.take, messages))
        raise TypeError(f"the chain gave a {type(chunk).__name__}; it must give text, or messages of a model or a tool")

    def rest(self) -> str:
        """The last message of a graph that has said nothing on its way."""
        return "" if self._said or not self._exchanged else self._say(str(self._exchanged[-1].text))

    def _continues(self, chunk: AIMessage) -> bool:
        """Whether it is a further chunk of the last message."""
        last = self._made[-1][-1] if self._made else None
        return isinstance(chunk, AIMessageChunk) and isinstance(last, AIMessageChunk) and chunk.id in {last.id, None}

    def _say(self, text: str) -> str:
        """Messages of one answer are paragraphs of it."""
        if text and self._is_apart:
            text, self._is_apart = f"\n\n{text}", False
        if text:
            self._said.append(text)
        return text
