"""The chain of an assistant, and one run of it: it yields text as it arrives, and at its end a staged answer."""

import warnings
from collections.abc import Callable, Iterator

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable

from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.events import EventType, OutputEvent
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from worker.langchain.chain_thread import NEVER, Stop
from worker.langchain.content.file_loader import NO_FILES, FileLoader
from worker.langchain.content.question import question_of
from worker.langchain.history import FastMessageHistory, StagedHistory
from worker.langchain.message_codec import encode_pair
from worker.langchain.model_calls import to_model, to_usage
from worker.langchain.output.blocks import provider_extras, with_blocks
from worker.provider.failures import check_finish, check_form, to_model_error
from worker.provider.request_ids import current_request

TRUNCATED = "length"  # finish reason of an answer that ended at the token limit

Chain = Runnable[dict[str, object], AIMessage]
EventSink = Callable[[OutputEvent], object]


def build_chain(assistant: Assistant, model: BaseChatModel, *, takes_messages: bool = False) -> Chain:
    """Return the chain of an assistant: its system prompt, the history, the question, and the model.

    The value `input` is the text of the question; with `takes_messages`, a list with its message.
    """
    prompt = ChatPromptTemplate.from_messages(
        [
            *([("system", assistant.system)] if assistant.system else ()),
            MessagesPlaceholder("history"),
            MessagesPlaceholder("input") if takes_messages else ("human", "{input}"),
        ]
    )
    with warnings.catch_warnings():
        # The wrapper will be removed in langchain-core 2; tools/requirements/service.in pins a version below that.
        warnings.simplefilter("ignore", DeprecationWarning)
        return FastMessageHistory(prompt, model)


class ChainRun:
    """One attempt at a turn."""

    on_event: EventSink = staticmethod(lambda _: None)

    def __init__(self, chain: Chain, claim: Claim, *, files: FileLoader = NO_FILES) -> None:
        """Load the files of the question and the history. Raises `ModelError`."""
        self._chain = chain
        self._claim = claim
        self._history = StagedHistory.of_claim(claim)
        self._question = self._history.load_files(files, claim)
        self._finish_reason: str | None = None

    def deltas(self, stop: Stop = NEVER) -> Iterator[str]:
        """Yield the text of the answer as it arrives; a delta may be empty.

        `stop` is for chains that run in other threads. Raise `ModelError`, or the exception of the chain.
        """
        self._receive_reasoning(self.on_event)
        # The values are plain text: LangChain could restore a dict as an object of the caller's choice.
        values: dict[str, object] = {
            **self._claim.variables,
            "input": [self._question] if self._question else self._claim.input,
        }
        chunks = self._chain.stream(values, {"configurable": {"history": self._history}})
        try:
            for chunk in chunks:
                # Not read from the merged message: LangChain joins a reason that is sent twice to "stopstop".
                self._finish_reason = chunk.response_metadata.get("finish_reason") or self._finish_reason
                yield chunk.content if isinstance(chunk.content, str) else ""
        except Exception as error:
            if model_error := to_model_error(error):
                raise model_error from error
            raise
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the connection to the provider at once

    def _receive_reasoning(self, sink: EventSink) -> None:
        """Let the thin client send the model's reasoning to this sink if callers are to see it."""
        if self._claim.assistant.reasoning and (request := current_request()):
            request.on_reasoning = lambda text: sink(OutputEvent(EventType.REASONING, text))

    def reported(self) -> tuple[Usage | None, int]:
        """Return the tokens that the provider has reported so far, and the number of calls without a report."""
        pair = self._history.staged_pair()
        usage = to_usage(pair[1]) if pair else None
        return usage, 0 if usage else 1

    def answer(self) -> Answer:
        """Return the staged answer after the last delta. Raise `ModelError` if it is not complete."""
        pair = self._history.staged_pair()
        if pair is None or not isinstance(pair[1].content, str):
            raise ModelError(
                Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message="the chain staged no question and answer"
            )
        question, answer = pair
        extras = provider_extras(str(answer.content))
        check_finish(self._finish_reason, answer.content or extras, self._claim.assistant.finish_reasons)
        check_form(str(answer.content), self._claim.response_format)
        asked = question_of(self._claim) if self._question else question
        question_message, answer_message = encode_pair(self._claim, asked, with_blocks(answer, extras))
        return Answer(
            question_message=question_message,
            answer_message=answer_message,
            output=str(answer.content),
            extras=tuple(extras),
            model=to_model(answer) or self._claim.model,
            usage=to_usage(answer),
            status_reason=TRUNCATED if self._finish_reason == TRUNCATED else None,
        )


def partial_answer(claim: Claim, text: str) -> Answer:
    """Return what is kept of an interrupted run: its question, and `text` as the answer if there is any."""
    message = AIMessage(content=text) if text else None
    question, answer = encode_pair(claim, question_of(claim), message, is_incomplete=True)
    return Answer(
        question_message=question,
        answer_message=answer,
        output=text,
        model=claim.model,
        usage=None,
    )
