"""A chat history that stages messages in memory.

`RunnableWithMessageHistory` ignores an error of the history that it writes to: the caller would get an answer that is
not in the history. Here it writes to memory, which cannot fail, and `commit.lua` stores the staged messages.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any, Self

from langchain_community.chat_message_histories.redis import RedisChatMessageHistory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    SystemMessage,
    message_chunk_to_message,
    trim_messages,
)
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.prompts import BasePromptTemplate
from langchain_core.runnables import ConfigurableFieldSpec, RunnableConfig
from langchain_core.runnables.config import get_callback_manager_for_config, merge_configs
from langchain_core.runnables.history import RunnableWithMessageHistory
from pydantic import PrivateAttr

from turns.domain.run.claim import Claim
from worker.langchain.content.file_loader import FileLoader
from worker.langchain.message_codec import decode_messages
from worker.provider.chat_openai import LeanChatOpenAI


class StagedHistory(RedisChatMessageHistory):
    """LangChain's Redis history with the messages of a claim. It opens no connection, and keeps added messages."""

    def __init__(  # without super().__init__, which connects and calls INFO
        self, stored: Sequence[bytes], *, max_tokens: int | None = None, instructions: str | None = None
    ) -> None:
        messages = decode_messages(stored)
        kept = messages if max_tokens is None else _newest(messages, max_tokens)
        self._messages = [SystemMessage(instructions), *kept] if instructions else kept
        self.staged: list[BaseMessage] = []

    @classmethod
    def of_claim(cls, claim: Claim) -> Self:
        """Return the history that a turn sees: what its caller sent if it stands alone, else what fits the model."""
        max_tokens = None if claim.stands_alone else claim.assistant.history_tokens
        return cls(claim.messages, max_tokens=max_tokens, instructions=claim.instructions)

    @property
    def messages(self) -> list[BaseMessage]:
        return list(self._messages)

    @messages.setter
    def messages(self, messages: list[BaseMessage]) -> None:
        raise NotImplementedError

    async def aget_messages(self) -> list[BaseMessage]:
        return self.messages

    def add_message(self, message: BaseMessage) -> None:
        self.staged.append(to_whole_message(message))

    def clear(self) -> None:
        raise NotImplementedError("a turn cannot clear its session; delete the session instead")

    def load_files(self, files: FileLoader, claim: Claim) -> HumanMessage | None:
        """Load the files to which the messages and the question of the claim refer.

        Return the question with its files, or None if it is a plain text. Raises `ModelError`.
        """
        self._messages, question = files.fill(self._messages, claim)
        return question

    def staged_pair(self) -> tuple[HumanMessage, AIMessage] | None:
        """Return the question and the answer; None if the chain has not ended or staged anything else."""
        match self.staged:
            case [HumanMessage() as question, AIMessage() as answer]:
                return question, answer
        return None


class FastMessageHistory(RunnableWithMessageHistory):  # type: ignore[no-redef]  # pydantic's plugin, at a field `kwargs`
    """`prompt | model` with a history that is given as `configurable.history`; stages the question and the answer.

    The stock wrapper runs a pipeline of eight nested runs, loads the history in another thread, records each message
    for callbacks, and restores the question from that record: 2.7 ms of a turn. So without callbacks `stream` calls the
    prompt and the model itself. `prompt | model` as a sequence would cost 0.5 ms more, because it adds up all chunks.
    With a callback, such as a tracer, the stock pipeline runs and reports everything to it.
    """

    _prompt: BasePromptTemplate[Any] = PrivateAttr()
    _model: BaseChatModel = PrivateAttr()

    def __init__(self, prompt: BasePromptTemplate[Any], model: BaseChatModel) -> None:
        super().__init__(
            prompt | model,
            lambda history: history,
            input_messages_key="input",
            history_messages_key="history",
            history_factory_config=[ConfigurableFieldSpec(id="history", annotation=StagedHistory)],
        )
        self._prompt, self._model = prompt, model

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002
        """Yield the answer in chunks. Stage nothing if the caller stops early; the stock wrapper stages a part."""
        merged = merge_configs(self.config, config)
        if get_callback_manager_for_config(merged).handlers:
            yield from super().stream(input, config, **kwargs)
            return
        history = merged["configurable"]["history"]
        value = self._prompt.format_prompt(**{**input, "history": history.messages})
        answer: Iterator[BaseMessageChunk]
        if isinstance(self._model, LeanChatOpenAI) and not kwargs:
            answer = self._model.stream_without_record(value.to_messages())
        else:
            answer = self._model.stream(value, merged, **kwargs)
        chunks = []
        for chunk in answer:
            chunks.append(chunk)
            yield chunk
        question = HumanMessage(input["input"]) if isinstance(input["input"], str) else input["input"][0]
        history.add_messages([question, merge_chunks(chunks)])


def to_whole_message(message: BaseMessage) -> BaseMessage:
    """Convert a chunk to a message. Otherwise a streamed answer would be stored with the type of a chunk."""
    return message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message


def merge_chunks(chunks: Sequence[Any]) -> Any:
    """Return the sum of the chunks. Raise ValueError if there are none."""
    first, *more = chunks
    if more and isinstance(first, BaseMessageChunk):
        return first + more  # in one step: each single addition would build a new message
    return reduce(add, more, first)


def _newest(messages: Sequence[BaseMessage], max_tokens: int) -> list[BaseMessage]:
    """Return the newest messages that fit, from a question on."""
    return trim_messages(
        messages, max_tokens=max_tokens, token_counter=count_tokens_approximately, strategy="last", start_on="human"
    )
