"""Reading what `inturn sessions import` is given: what `export` wrote, or a history of LangChain."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from inturn.values import MessageBody

ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}  # of LangChain's types of messages


class NoMessages(Exception):
    """The file is not what can be imported; the message says where, and what is wrong."""


@dataclass(frozen=True)
class Found:
    """`left_out`: how many are no text of a user or a model: system messages, and tool calls with their results."""

    messages: list[MessageBody]
    left_out: int


def read_messages(data: bytes) -> Found:
    """Lines of JSON, each a message as `export` writes it; or a JSON array, as `messages_to_dict` gives it and
    `FileChatMessageHistory` keeps it. Raises `NoMessages`."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoMessages("It is not UTF-8.") from None
    read = [_message(where, item) for where, item in _items(text)]
    messages = [message for message in read if message]
    if not messages:
        raise NoMessages("There is no message in it.")
    return Found(messages, len(read) - len(messages))


def _items(text: str) -> Iterator[tuple[str, Any]]:
    """Each with the words for its place."""
    if text.lstrip().startswith("["):
        items = _json("The file", text)
        yield from ((f"Message {number}", item) for number, item in enumerate(items, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):  # U+2028 ends no line of JSON
        if line.strip():
            yield f"Line {number}", _json(f"Line {number}", line)


def _json(where: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NoMessages(f"{where} is not JSON: {error}.") from None


def _message(where: str, item: Any) -> MessageBody | None:
    """None for what is left out. Rules for what it holds are the service's."""
    if isinstance(item, dict) and "role" in item and "content" in item:
        return cast("MessageBody", {name: item[name] for name in MessageBody.__annotations__ if name in item})
    if isinstance(item, dict) and isinstance(item.get("data"), dict) and "content" in item["data"]:
        role, content = ROLES.get(str(item.get("type"))), item["data"]["content"]
        if role is None or (not content and item["data"].get("tool_calls")):
            return None
        return cast("MessageBody", {"role": role, "content": content, "turn_id": item.get("turn")})
    raise NoMessages(f"{where} is no message as `export` writes it, and none of LangChain's `messages_to_dict`.")
