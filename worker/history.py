"""A history that stages.

`RunnableWithMessageHistory` swallows an error of the history that it writes to: the caller gets the answer and
the turn is gone. So it writes here, in memory, where nothing can fail, and `commit.lua` writes what was staged.
"""

import json
from collections.abc import Sequence

from langchain_community.chat_message_histories.redis import RedisChatMessageHistory
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    BaseMessageChunk,
    HumanMessage,
    message_chunk_to_message,
    messages_from_dict,
)

from turns.logs import Log, get_logger


class StagedHistory(RedisChatMessageHistory):
    """The stock history, given its messages by the claim; it opens no connection and keeps what is added."""

    def __init__(self, stored: Sequence[bytes]) -> None:  # the stock one connects, and asks the server for INFO
        self._messages = _read(stored)
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
        # A streamed answer arrives as AIMessageChunk, and would be stored as one.
        self.staged.append(message_chunk_to_message(message) if isinstance(message, BaseMessageChunk) else message)

    def clear(self) -> None:
        raise NotImplementedError("a turn cannot clear its session; delete the session instead")

    def staged_pair(self) -> tuple[HumanMessage, AIMessage] | None:
        """The question and the answer, once the chain has run to its end; None if it staged anything else."""
        match self.staged:
            case [HumanMessage() as question, AIMessage() as answer]:
                return question, answer
        return None


def stored_message(message: HumanMessage | AIMessage, *, turn_id: str) -> str:
    """The message as the stock class stores it, without empty fields, and with its turn beside them.

    Stock readers ignore the tag. A pair with an answer of twenty words takes 536 bytes, the stock one 974.
    """
    data: dict[str, object] = {"content": message.content, "type": message.type, "id": f"{turn_id}_{message.type}"}
    if isinstance(message, AIMessage) and message.usage_metadata:
        data["usage_metadata"] = message.usage_metadata
    return json.dumps({"type": message.type, "data": data, "turn": turn_id})


def _read(stored: Sequence[bytes]) -> list[BaseMessage]:
    """From the first human message on, because providers refuse a conversation that begins with an answer."""
    messages: list[BaseMessage] = []
    for item in stored:
        try:
            [message] = messages_from_dict([json.loads(item)])
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            # One unreadable item makes the stock class fail for ever; here it costs one message.
            get_logger().warning(Log.MESSAGE_SKIPPED, error=type(error).__name__)
            continue
        if messages or isinstance(message, HumanMessage):
            messages.append(message)
    return messages
