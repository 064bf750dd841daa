"""A custom chain: any Runnable over `input`, `history` and the variables that returns text or messages.

All text that it yields is the answer. Order, the single write to the history, cancel, retries and limits are those of
any other chain.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
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
from worker.langchain.chain import MODEL_TAG, TRUNCATED, ChainRun, ModelCallObserver
from worker.langchain.chain_thread import NEVER, Chunks, Stop, stream_here
from worker.langchain.history import StagedHistory, merge_chunks, to_whole_message
from worker.langchain.legal_history import is_valid_exchange
from worker.langchain.message_codec import encode_message

MAX_STORED_BYTES = 33_554_432  # of the messages of one turn; Redis drops the connection that sends 512 MB


def build_custom_chain(factory: Callable[..., Any], model: BaseChatModel) -> Runnable[Any, Any]:
    """Call the factory, with the assistant's model if it has a parameter `model`. Raise what it raises."""
    takes_model = "model" in inspect.signature(factory).parameters
    chain = factory(model=model.model_copy(update={"tags": [MODEL_TAG]})) if takes_model else factory()
    if not isinstance(chain, Runnable):
        raise TypeError(f"the factory returned a {type(chain).__name__}; it must return a Runnable")
    return chain


class CustomChainRun(ChainRun):
    """One attempt at a turn with a custom chain."""

    def __init__(
        self, build: Callable[[], Runnable[Any, Any]], claim: Claim, *, stream: Callable[..., Chunks] = stream_here
    ) -> None:
        """`build` returns the chain. `stream` is `stream_here` or `stream_in_thread`."""
        self._claim = claim
        self._history = StagedHistory(claim.messages, max_tokens=claim.assistant.history_tokens)
        self._stream = stream
        self._build = build  # called by `deltas`, so that an exception of the factory fails the turn
        self._output = ChainOutput()
        self._observer = ModelCallObserver(claim.assistant.finish_reasons)

    def deltas(self, stop: Stop = NEVER) -> Iterator[str]:
        """Yield text as `ChainRun.deltas` does. Exceptions of the chain itself are raised unchanged."""
        self._observer.check = stop.check  # a graph runs its models in its own threads, which cannot be interrupted
        chunks = self._stream(self._chunks, stop)
        try:
            for chunk in chunks:
                # LangChain yields the sum of the messages of a generator function after them, and then raises.
                if isinstance(chunk, PromptValue):
                    break
                yield self._output.add(chunk)
            yield self._output.finish()
        except Exception as error:
            if model_error := self._observer.explain(error):
                raise model_error from error
            raise
        finally:
            chunks.close()  # closes the connection to the provider at once

    def answer(self) -> Answer:
        """Return the answer after the last delta. Raise `ModelError` if it is empty or not complete."""
        text, turn_id, observer = self._output.text, self._claim.turn_id, self._observer
        if observer.problem:
            raise observer.problem
        if not text:
            raise ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message="the chain returned no text")
        *between, last = self._messages_after_question(text)
        between_messages = tuple(encode_message(m, turn_id=turn_id, step=n) for n, m in enumerate(between, 1))
        answer_message = encode_message(last, turn_id=turn_id)
        if sum(map(len, (*between_messages, answer_message))) > MAX_STORED_BYTES:
            raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
        return Answer(
            question_message=encode_message(HumanMessage(content=self._claim.input), turn_id=turn_id),
            between_messages=between_messages,
            answer_message=answer_message,
            output=text,
            model=observer.model or self._claim.model,
            usage=observer.usage,
            status_reason=TRUNCATED if observer.finish_reason == TRUNCATED else None,
        )

    def _messages_after_question(self, text: str) -> Sequence[BaseMessage]:
        """Return all messages of the exchange if they are to be kept and a provider would accept them."""
        messages = self._output.messages
        keeps_all = self._claim.assistant.history is HistoryMode.FULL and is_valid_exchange(messages)
        return messages if keeps_all else [AIMessage(text)]

    def _chunks(self) -> Chunks:
        """Build the chain and yield what it yields."""
        chain = self._build()
        history = self._history.messages
        values = {**self._claim.variables, "input": self._claim.input, "history": history}
        # Recognized by its module, because LangGraph is only installed if a custom chain uses it.
        if any(base.__module__.startswith("langgraph.") for base in type(chain).__mro__):
            question = HumanMessage(self._claim.input, id=f"{self._claim.turn_id}_human")
            yield from self._stream_graph(chain, {**values, "messages": [*history, question]}, question.id)
        else:
            yield from chain.stream(values, {"callbacks": [self._observer]})

    def _stream_graph(self, graph: Any, state: dict[str, Any], question_id: str | None) -> Iterator[Any]:
        """Yield the messages of the graph's models as they arrive, and at the end all messages after the question."""
        final: list[BaseMessage] = []
        modes = ["messages", "values"]
        for mode, part in graph.stream(state, {"callbacks": [self._observer]}, stream_mode=modes):
            if mode == "values":
                final = part["messages"]
            yield part[0] if mode == "messages" and isinstance(part[0], AIMessage) else ""
        start = next((n for n, message in enumerate(final, 1) if message.id == question_id), len(final))
        yield GraphMessages(final[start:])


@dataclass(frozen=True, slots=True)
class GraphMessages:
    """All messages after the question in the final state of a graph."""

    messages: list[BaseMessage]


class ChainOutput:
    """The output of a chain so far: its text and its messages."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._parts: list[list[Any]] = []  # for each message itself, or its chunks
        self._graph_messages: list[BaseMessage] | None = None
        self._starts_paragraph = False

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def messages(self) -> list[BaseMessage]:
        if self._graph_messages is not None:
            return self._graph_messages
        return [to_whole_message(merge_chunks(parts)) for parts in self._parts]

    def add(self, chunk: object) -> str:
        """Add what the chain has yielded and return its text. Raise `TypeError` for an unsupported type."""
        match chunk:
            case str():
                return self._append(chunk)
            case AIMessage():
                if not self._continues(chunk):
                    self._parts.append([])
                    self._starts_paragraph = bool(self._texts)
                self._parts[-1].append(chunk)
                return self._append(str(chunk.text))
            case ToolMessage():
                self._parts.append([chunk])
                return ""
            case GraphMessages(messages):
                self._graph_messages = messages
                return ""
            case [*messages] if all(isinstance(message, AIMessage | ToolMessage) for message in messages):
                return "".join(map(self.add, messages))
        raise TypeError(
            f"the chain returned a {type(chunk).__name__}; it must return text, or messages of a model or a tool"
        )

    def finish(self) -> str:
        """Return the text of a graph's last message if the graph has yielded no text before."""
        if self._texts or not self._graph_messages:
            return ""
        return self._append(str(self._graph_messages[-1].text))

    def _continues(self, chunk: AIMessage) -> bool:
        """Return whether it is another chunk of the last message."""
        last = self._parts[-1][-1] if self._parts else None
        return isinstance(chunk, AIMessageChunk) and isinstance(last, AIMessageChunk) and chunk.id in {last.id, None}

    def _append(self, text: str) -> str:
        """Append text; each message of the answer is a paragraph."""
        if text and self._starts_paragraph:
            text, self._starts_paragraph = f"\n\n{text}", False
        if text:
            self._texts.append(text)
        return text
