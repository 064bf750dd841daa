"""The chain of an assistant, and one run of it: text out as it comes, and at the end a staged answer."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import openai
from langchain_core._api import LangChainDeprecationWarning
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import ConfigurableFieldSpec, Runnable

from turns.domain.assistant import Assistant
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.domain.turn import Answer, Claim, Usage
from worker.langchain.history import FastMessageHistory, StagedHistory
from worker.langchain.message_codec import stored_message
from worker.provider.models import check_finish, to_model_error

CUT = "length"  # a finish reason: the model came to its limit of tokens
CALLS_TOOLS = ("tool_calls", "function_call")  # finish reasons of a message after which a chain goes on
OURS = (
    "inturn"  # tag of the model that somebody's own chain is given: its answers are held to the same rules as in ours
)
MAX_TOKENS = 10**9  # of one answer
NOTHING = Usage(input_tokens=0, output_tokens=0, total_tokens=0)

Chain = Runnable[dict[str, object], AIMessage]


def build_chain(assistant: Assistant, model: BaseChatModel) -> Chain:
    prompt = ChatPromptTemplate.from_messages(
        [
            *([("system", assistant.system)] if assistant.system else ()),
            MessagesPlaceholder("history"),
            ("human", "{input}"),
        ]
    )
    with warnings.catch_warnings():
        # Its removal comes with langchain-core 2; tools/requirements/service.in holds the version below that.
        warnings.simplefilter("ignore", LangChainDeprecationWarning)
        return FastMessageHistory(
            prompt | model,
            lambda history: history,
            input_messages_key="input",
            history_messages_key="history",
            history_factory_config=[ConfigurableFieldSpec(id="history", annotation=StagedHistory)],
        )


class Run:
    """One attempt at a turn."""

    def __init__(self, chain: Chain, claim: Claim) -> None:
        self._chain = chain
        self._claim = claim
        self._history = StagedHistory(claim.messages, most_tokens=claim.assistant.history_tokens)
        self._finish_reason: str | None = None

    def pieces(self, check: Callable[[], object] = lambda: None) -> Iterator[str]:
        """The answer as it comes; a piece may be empty. Raises `ModelError`, or whatever the chain raises.

        `check` raises what stops the run, for chains that wait in a thread of their own.
        """
        # Only text enters: a dict here could be revived as a LangChain object of the caller's choice.
        given: dict[str, object] = {**self._claim.variables, "input": self._claim.input}
        chunks = self._chain.stream(given, {"configurable": {"history": self._history}})
        try:
            for chunk in chunks:
                # Here and not in the whole message: LangChain joins a reason that comes twice to "stopstop".
                self._finish_reason = chunk.response_metadata.get("finish_reason") or self._finish_reason
                yield chunk.content if isinstance(chunk.content, str) else ""
        except Exception as error:
            if known := to_model_error(error):
                raise known from error
            raise
        finally:
            chunks.close()  # type: ignore[attr-defined]  # a generator: closes the provider's connection at once

    def answer(self) -> Answer:
        """What the run staged, once all pieces have come. Raises `ModelError` if it is not a whole answer."""
        pair = self._history.staged_pair()
        if pair is None or not isinstance(pair[1].content, str):
            raise ModelError(
                Code.CHAIN_ERROR, ModelErrorKind.HOPELESS, message="the chain staged no question and answer"
            )
        question, answer = pair
        check_finish(self._finish_reason, answer.content)
        turn_id = self._claim.turn_id
        return Answer(
            question_message=stored_message(question, turn_id=turn_id),
            answer_message=stored_message(answer, turn_id=turn_id),
            output=str(answer.content),
            model=to_model(answer) or self._claim.model,
            usage=to_usage(answer),
            status_reason=CUT if self._finish_reason == CUT else None,
        )

    def answer_so_far(self, text: str) -> Answer:
        """What will be kept of a run that is interrupted: its question, and `text` if there is any."""
        turn_id = self._claim.turn_id
        said = stored_message(AIMessage(content=text), turn_id=turn_id) if text else ""
        return Answer(
            question_message=stored_message(HumanMessage(content=self._claim.input), turn_id=turn_id),
            answer_message=said,
            output=text,
            model=self._claim.model,
            usage=None,
        )


def to_usage(answer: AIMessage) -> Usage | None:
    """None where the provider did not count, or counted what cannot be: the store adds these up."""
    counted = answer.usage_metadata
    if counted is None:
        return None
    counts = {name: counted.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")}
    is_sound = all(type(count) is int and 0 <= count <= MAX_TOKENS for count in counts.values())
    return Usage(**counts) if is_sound else None  # type: ignore[arg-type]  # they have just been looked at


def to_model(answer: AIMessage) -> str | None:
    """Which model the provider says that it was."""
    named = answer.response_metadata.get("model_name")
    return named if isinstance(named, str) else None


class ModelCallObserver(BaseCallbackHandler):
    """Sees each answer of the models in a chain, also where their text is all that the chain lets through.

    `check` raises what stops the run, in whatever thread the chain runs its models.
    """

    run_inline = True

    def __init__(self) -> None:
        self.check: Callable[[], object] = lambda: None
        self.usage: Usage | None = None
        self.model: str | None = None
        self.finish_reason: str | None = None
        self.problem: ModelError | None = None
        self._errors: list[BaseException] = []

    def explain(self, error: Exception) -> ModelError | None:
        """What went wrong at a provider, if that is what this is; half an answer can make a chain fail behind it."""
        is_a_model_s = isinstance(error, openai.APIError) or any(error is seen for seen in self._errors)
        return self.problem or (to_model_error(error) if is_a_model_s else None)

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.check()

    def on_tool_start(self, serialized: Any, input_str: str, **_: Any) -> None:
        self.check()

    def on_llm_error(self, error: BaseException, *, tags: list[str] | None = None, **_: Any) -> None:
        if OURS in (tags or ()):
            self._errors.append(error)

    def on_llm_end(self, response: LLMResult, *, tags: list[str] | None = None, **_: Any) -> None:
        generation = response.generations[0][0]
        if not isinstance(generation, ChatGeneration) or not isinstance(message := generation.message, AIMessage):
            return
        self.finish_reason = message.response_metadata.get("finish_reason")
        if OURS in (tags or ()) and self.finish_reason not in CALLS_TOOLS:
            try:
                check_finish(self.finish_reason, message.content)
            except ModelError as problem:
                self.problem = self.problem or problem
        if counted := to_usage(message):
            self.usage = (self.usage or NOTHING) + counted
        self.model = to_model(message) or self.model
