"""A history that stages.

`RunnableWithMessageHistory` swallows an error of the history that it writes to: the caller gets the answer and
the turn is gone. So it writes here, in memory, where nothing can fail, and `commit.lua` writes what was staged.
"""

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import add
from typing import Any

from langchain_community.chat_message_histories.redis import RedisChatMessageHistory
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    ToolMessage,
    message_chunk_to_message,
    trim_messages,
)
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.runnables import Runnable, RunnableConfig, RunnableSequence
from langchain_core.runnables.config import get_callback_manager_for_config, merge_configs
from langchain_core.runnables.history import RunnableWithMessageHistory
from pydantic import PrivateAttr

from worker.langchain.message_codec import read_messages
from worker.langchain.uncallbacked import prepared_by, spoken_by


class StagedHistory(RedisChatMessageHistory):
    """The stock history, given its messages by the claim; it opens no connection and keeps what is added."""

    def __init__(  # the stock one connects, and asks the server for INFO
        self, stored: Sequence[bytes], *, most_tokens: int | None = None
    ) -> None:
        messages = read_messages(stored)
        self._messages = messages if most_tokens is None else _within(messages, most_tokens)
        self.staged: list[BaseMessage] = []

    @property
    def messages(self) -> list[BaseMessage]:
        return list(self._messages)

    @messages.setter
    def messages(self, messages: list[BaseMessage]) -> None:
        raise NotImplementedError

    async def aget_messages(self) -> list[BaseMessage]:
        return self.messages

    def add_message(self, message: BaseMessage) -> None:
        self.staged.append(complete(message))

    def clear(self) -> None:
        raise NotImplementedError("a turn cannot clear its session; delete the session instead")

    def staged_pair(self) -> tuple[HumanMessage, AIMessage] | None:
        """The question and the answer, once the chain has run to its end; None if it staged anything else."""
        match self.staged:
            case [HumanMessage() as question, AIMessage() as answer]:
                return question, answer
        return None


class FastMessageHistory(RunnableWithMessageHistory):  # type: ignore[no-redef]  # pydantic's plugin, at a field `kwargs`
    """Loads the history, runs the chain, and stages the question and the answer, in this order and in this thread.

    The stock wrapper makes eight nested runs of it, loads the history in a thread of its own, records each message for
    callbacks that nobody configured, and revives the question from that record: with it a turn of 20 words costs 3.8 ms
    and without 1.1. Where there is a callback, such as a tracer, the stock pipeline runs, and the callback is told all.
    """

    _steps: Sequence[Runnable[Any, Any]] = PrivateAttr(default=())
    _last: Runnable[Any, Any] = PrivateAttr()

    def __init__(self, runnable: Runnable[Any, Any], get_session_history: Any, **options: Any) -> None:
        super().__init__(runnable, get_session_history, **options)
        self._last = runnable
        if isinstance(runnable, RunnableSequence) and isinstance(runnable.last, BaseChatModel):
            # A sequence adds up all that it streams, for those callbacks again. What comes before a model is one value.
            self._steps, self._last = runnable.steps[:-1], runnable.last

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:  # noqa: A002
        merged = self._merge_configs(config)
        if _is_watched(merged):
            return super().invoke(input, config, **kwargs)
        answer = self._last.invoke(self._prepared(input, merged), merged, **kwargs)
        self._stage(input, answer, merged)
        return answer

    def stream(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Iterator[Any]:  # noqa: A002
        """What a caller does not read to its end is not staged; the stock wrapper stages half of it."""
        merged = self._merge_configs(config)
        if _is_watched(merged):
            yield from super().stream(input, config, **kwargs)
            return
        said = []
        for chunk in spoken_by(self._last, self._prepared(input, merged), merged, **kwargs):
            said.append(chunk)
            yield chunk
        if said:
            self._stage(input, whole(said), merged)

    def _merge_configs(self, *configs: RunnableConfig | None) -> RunnableConfig:
        """The stock one merges twice, and looks at the factory's signature each time: 30 µs for what takes 10 here."""
        merged = merge_configs(self.config, *configs)
        [named] = self.history_factory_config
        merged["configurable"]["message_history"] = self.get_session_history(merged["configurable"][named.id])
        return merged

    def _prepared(self, given: Any, config: RunnableConfig) -> Any:
        value = {**given, str(self.history_messages_key): config["configurable"]["message_history"].messages}
        for step in self._steps:
            value = prepared_by(step, value, config)
        return value

    def _stage(self, given: Any, answer: Any, config: RunnableConfig) -> None:
        staged = [*self._get_input_messages(given), *self._get_output_messages(answer)]
        config["configurable"]["message_history"].add_messages(staged)


def _is_watched(config: RunnableConfig) -> bool:
    return bool(get_callback_manager_for_config(config).handlers)


def complete(message: BaseMessage) -> BaseMessage:
    """A streamed answer arrives as AIMessageChunk, and would be stored as one."""
    return message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message


def is_legal(steps: Sequence[BaseMessage]) -> bool:
    """Whether a provider takes these after a question: each tool call is answered right behind it, and nothing is last
    but an answer."""
    waiting: set[str | None] = set()
    for message in steps:
        if isinstance(message, ToolMessage) and message.tool_call_id in waiting:
            waiting.remove(message.tool_call_id)
        elif isinstance(message, AIMessage) and not waiting:
            waiting = {call["id"] for call in message.tool_calls}
        else:
            return False
    return bool(steps) and isinstance(steps[-1], AIMessage) and not waiting


def whole(said: Sequence[Any]) -> Any:
    first, *more = said
    if more and isinstance(first, BaseMessageChunk):
        return first + more  # all at once: one by one, each sum is a new message
    return reduce(add, more, first)


def _within(messages: Sequence[BaseMessage], most_tokens: int) -> list[BaseMessage]:
    """The last of them, from a question on."""
    return trim_messages(
        messages, max_tokens=most_tokens, token_counter=count_tokens_approximately, strategy="last", start_on="human"
    )
