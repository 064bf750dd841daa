"""The messages that a session holds before its first measured turn, because real conversations are not empty."""

import json

MESSAGE_COUNT = 20
QUESTION = "question {}, about as long as people ask in a chat"
ANSWER = "an answer of about twenty words, which is what the prompt asks for"


def messages() -> list[dict[str, str]]:
    """Return the messages, oldest first, in the form that `PUT /v1/sessions/{id}/messages` takes."""
    exchange = ({"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER})
    return [
        {**message, "content": message["content"].format(number)}
        for number in range(MESSAGE_COUNT // 2)
        for message in exchange
    ]


def stored_messages() -> list[bytes]:
    """Return the messages, oldest first, byte for byte as `RedisChatMessageHistory.add_message` stores them."""
    from langchain_core.messages import AIMessage, HumanMessage, message_to_dict  # noqa: PLC0415  # gevent patches first

    kinds = {"user": HumanMessage, "assistant": AIMessage}
    stored = [kinds[message["role"]](content=message["content"]) for message in messages()]
    return [json.dumps(message_to_dict(message)).encode() for message in stored]
