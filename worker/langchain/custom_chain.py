"""A custom chain: any Runnable over `input`, `history` and the variables that returns text, messages or an object.

All text that it yields is the answer. Order, the single write to the history, cancel, retries and limits are those of
any other chain.
"""

from collections.abc import Callable, Iterator, Sequence

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.prompt_values import PromptValue

from turns.domain.assistant import HistoryMode
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.events import OutputEvent
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from worker.langchain.chain import TRUNCATED, ChainRun
from worker.langchain.chain_call import ChainCall, CustomChain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_output import ChainOutput
from worker.langchain.chain_thread import NEVER, Chunks, Emit, OnAbandon, Stop, stream_here, stream_in_thread
from worker.langchain.content.file_loader import NO_FILES, FileLoader
from worker.langchain.content.question import question_of
from worker.langchain.history import StagedHistory
from worker.langchain.legal_history import is_valid_exchange
from worker.langchain.message_codec import encode_message, encode_pair
from worker.langchain.model_calls import ModelCallObserver
from worker.langchain.output.blocks import provider_extras, with_blocks
from worker.langchain.output.events import EventObserver
from worker.provider.failures import check_form

MAX_STORED_BYTES = 33_554_432  # of the messages of one turn; Redis drops the connection that sends 512 MB


class CustomChainRun(ChainRun):
    """One attempt at a turn with a custom chain."""

    def __init__(
        self,
        build: Callable[[], CustomChain],
        claim: Claim,
        *,
        loop: ChainLoop | None = None,
        files: FileLoader = NO_FILES,
    ) -> None:
        """With a loop, the chain runs in a thread, and on the loop as far as it is asynchronous."""
        self._claim = claim
        self._history = StagedHistory.of_claim(claim)
        self._question = self._history.load_files(files, claim)
        self._build = build  # called by `deltas`, so that an exception of the factory fails the turn
        self._loop = loop
        self._output = ChainOutput()
        self._observer = ModelCallObserver(claim.assistant.finish_reasons)

    def deltas(self, stop: Stop = NEVER) -> Iterator[str]:
        """Yield text as `ChainRun.deltas` does. Exceptions of the chain itself are raised unchanged."""
        self._observer.check = stop.check  # a graph runs its models in its own threads, which cannot be interrupted
        stream = stream_in_thread if self._loop else stream_here
        chunks = stream(self._chunks, stop, self.on_event)
        try:
            for chunk in chunks:
                # LangChain yields the sum of the messages of a generator function after them, and then raises.
                if isinstance(chunk, PromptValue):
                    break
                if isinstance(chunk, OutputEvent):
                    self.on_event(chunk)
                else:
                    yield self._output.add(chunk)
            yield self._output.finish()
        except Exception as error:
            if model_error := self._observer.explain(error):
                raise model_error from error
            raise
        finally:
            chunks.close()  # closes the connection to the provider at once

    def reported(self) -> tuple[Usage | None, int]:
        """Return the sum of the chain's calls as `ChainRun.reported` does."""
        return self._observer.usage, self._observer.unreported_calls

    def answer(self) -> Answer:
        """Return the answer after the last delta. Raise `ModelError` if it is empty or not complete."""
        text, turn_id, observer = self._output.text, self._claim.turn_id, self._observer
        if observer.problem:
            raise observer.problem
        extras = [*self._output.extras, *provider_extras(text)]
        if not text and not extras:
            raise ModelError(Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message="the chain returned no text")
        check_form(text if self._output.data is None else self._output.data, self._claim.response_format)
        *between, last = self._messages_after_question(text)
        between_messages = tuple(encode_message(m, turn_id=turn_id, step=n) for n, m in enumerate(between, 1))
        question_message, answer_message = encode_pair(self._claim, question_of(self._claim), with_blocks(last, extras))
        if sum(map(len, (*between_messages, answer_message))) > MAX_STORED_BYTES:
            raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS)
        return Answer(
            question_message=question_message,
            between_messages=between_messages,
            answer_message=answer_message,
            output=text,
            extras=tuple(extras),
            data=self._output.data,
            model=observer.model or self._claim.model,
            usage=observer.usage,
            unreported_calls=observer.unreported_calls,
            status_reason=TRUNCATED if observer.finish_reason == TRUNCATED else None,
        )

    def _messages_after_question(self, text: str) -> Sequence[BaseMessage]:
        """Return all messages of the exchange if they are to be kept and a provider would accept them."""
        messages = self._output.messages
        keeps_all = self._claim.assistant.history is HistoryMode.FULL and is_valid_exchange(messages)
        return messages if keeps_all else [AIMessage(text)]

    def _chunks(self, on_abandon: OnAbandon, emit: Emit) -> Chunks:
        """Build the chain and yield what it yields."""
        self._receive_reasoning(emit)
        assistant = self._claim.assistant
        events = EventObserver(emit, with_details=assistant.tool_details, with_reasoning=assistant.reasoning)
        call = ChainCall(self._claim, self._history.messages, self._observer, events, question=self._question)
        yield from call.chunks(self._build(), self._loop, on_abandon)
