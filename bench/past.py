"""What was said in a session before its first measured turn: conversations have a past."""

import json

MESSAGES = 20
QUESTION = "question {}, about as long as people ask in a chat"
ANSWER = "an answer of about twenty words, which is what the prompt asks for"


def given() -> list[dict[str, str]]:
    """Oldest first, as `PUT /v1/sessions/{id}/messages` takes them."""
    says = ({"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER})
    return [{**say, "content": say["content"].format(n)} for n in range(MESSAGES // 2) for say in says]


def stored() -> list[bytes]:
    """Oldest first, byte for byte as `RedisChatMessageHistory.add_message` stores them."""
    from langchain_core.messages import AIMessage, HumanMessage, message_to_dict  # noqa: PLC0415  # gevent patches first

    kinds = {"user": HumanMessage, "assistant": AIMessage}
    messages = [kinds[one["role"]](content=one["content"]) for one in given()]
    return [json.dumps(message_to_dict(message)).encode() for message in messages]
