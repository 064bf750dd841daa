"""The messages that the bench stores equal those that each system would have stored itself."""

from typing import Any

from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from bench import seed_history
from turns.domain.messages import Message


class Recorder:
    """A store that records the pushed items."""

    def __init__(self) -> None:
        self.pushed: list[bytes] = []

    def lpush(self, key: str, item: str) -> None:
        self.pushed.append(item.encode())


def test_stored_messages_equal_those_of_langchain() -> None:
    history: Any = RedisChatMessageHistory.__new__(RedisChatMessageHistory)  # without its connection
    recorder = Recorder()
    history.redis_client, history.session_id, history.key_prefix, history.ttl = recorder, "s", "message_store:", None
    for message in seed_history.messages():
        kind = HumanMessage if message["role"] == "user" else AIMessage
        history.add_message(kind(content=message["content"]))
    assert seed_history.stored_messages() == recorder.pushed


def test_both_systems_get_the_same_messages() -> None:
    read = [Message.from_stored(number, item) for number, item in enumerate(seed_history.stored_messages(), 1)]
    contents = [{"role": message.role, "content": message.content} for message in read if message]
    assert contents == seed_history.messages()
    assert len(seed_history.messages()) == seed_history.MESSAGE_COUNT
