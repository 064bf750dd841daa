"""Parser of the files that `inturn sessions import` accepts: exported messages or a LangChain history."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from inturn.values import MessageBody

TURN_OF_MESSAGE = re.compile(r"(turn_[0-9a-f]{32})_")
LANGCHAIN_ROLES = {"human": "user", "ai": "assistant", "AIMessageChunk": "assistant"}


class InvalidMessageFile(Exception):
    """The file cannot be imported; the message names the line and the reason."""


@dataclass(frozen=True)
class ParsedMessages:
    """Messages to import. `skipped` counts system messages, tool calls with their results, and those without text."""

    messages: list[MessageBody]
    skipped: int


def parse_messages(data: bytes) -> ParsedMessages:
    """Parse JSON lines as `export` writes them, or a JSON array as LangChain writes it. Raise `InvalidMessageFile`.

    The array can come from `messages_to_dict` or be a file of `FileChatMessageHistory`.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidMessageFile("The file is not UTF-8.") from None
    parsed = [_parse_message(label, item) for label, item in _items(text)]
    messages = [message for message in parsed if message]
    if not messages:
        raise InvalidMessageFile("The file contains no messages.")
    return ParsedMessages(messages, len(parsed) - len(messages))


def _items(text: str) -> Iterator[tuple[str, Any]]:
    """Yield each item with a label for error messages."""
    if text.lstrip().startswith("["):
        items = _parse_json("The file", text)
        yield from ((f"Message {number}", item) for number, item in enumerate(items, start=1))
        return
    for number, line in enumerate(text.split("\n"), start=1):  # not splitlines: JSON strings may contain U+2028
        if line.strip():
            yield f"Line {number}", _parse_json(f"Line {number}", line)


def _parse_json(label: str, text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidMessageFile(f"{label} is not JSON: {error}.") from None


def _parse_message(label: str, item: Any) -> MessageBody | None:
    """Return the message, or None to skip it. The service validates the content."""
    if isinstance(item, dict) and "role" in item and "content" in item:
        return cast("MessageBody", {name: item[name] for name in MessageBody.__annotations__ if name in item})
    if isinstance(item, dict) and isinstance(item.get("data"), dict) and "content" in item["data"]:
        role, data = LANGCHAIN_ROLES.get(str(item.get("type"))), item["data"]
        content = _text_of(data["content"]) if isinstance(data["content"], list) else data["content"]
        if role is None or (not content and (data.get("tool_calls") or data["content"] != "")):
            return None
        return cast(
            "MessageBody", {"role": role, "content": content, "turn_id": item.get("turn") or _turn_of(data.get("id"))}
        )
    raise InvalidMessageFile(f"{label} is not a message as written by `export` or by LangChain's `messages_to_dict`.")


def _turn_of(message_id: Any) -> str | None:
    """Return the id of the turn with which the id of a message of a turn begins."""
    found = TURN_OF_MESSAGE.match(message_id) if isinstance(message_id, str) else None
    return found and found[1]


def _text_of(blocks: list[Any]) -> str:
    """Return the text in content blocks, as LangChain's `text` does."""
    texts = [
        block.get("text") if isinstance(block, dict) and block.get("type") == "text" else block for block in blocks
    ]
    return "".join(text for text in texts if isinstance(text, str))
