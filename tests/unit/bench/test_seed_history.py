"""The past that the bench gives a session is what each side would have written itself."""

from typing import Any

from langchain_community.chat_message_histories import RedisChatMessageHistory
from langchain_core.messages import AIMessage, HumanMessage

from bench import past
from turns.domain.messages import Message


class Recorder:
    """A store that keeps what is pushed."""

    def __init__(self) -> None:
        self.pushed: list[bytes] = []

    def lpush(self, key: str, item: str) -> None:
        self.pushed.append(item.encode())


def test_it_is_byte_for_byte_what_langchain_stores() -> None:
    history: Any = RedisChatMessageHistory.__new__(RedisChatMessageHistory)  # without its connection
    recorder = Recorder()
    history.redis_client, history.session_id, history.key_prefix, history.ttl = recorder, "s", "message_store:", None
    for said in past.given():
        kind = HumanMessage if said["role"] == "user" else AIMessage
        history.add_message(kind(content=said["content"]))
    assert past.stored() == recorder.pushed


def test_both_sides_are_given_the_same_messages() -> None:
    read = [Message.from_stored(number, item) for number, item in enumerate(past.stored(), 1)]
    assert [{"role": message.role, "content": message.content} for message in read if message] == past.given()
    assert len(past.given()) == past.MESSAGES
