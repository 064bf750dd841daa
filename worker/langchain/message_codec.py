"""Messages as they are stored: LangChain's own form, without what is empty."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import orjson
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, messages_from_dict

from turns.config.logs import Log, get_logger

COUNTS = ("input_tokens", "output_tokens", "total_tokens")
DETAILS = ("input_token_details", "output_token_details")
SAID: dict[str, object] = {"content": "", "type": "", "id": "", "usage_metadata": dict.fromkeys(COUNTS, 0)}
# A message of each form in which nearly all are stored: by type, and the names of its fields in their order.
KINDS: dict[str, Callable[..., BaseMessage]] = {"human": HumanMessage, "ai": AIMessage}
FORMS = {
    (kind, names): KINDS[kind](**{name: SAID[name] for name in names} | {"type": kind})
    for kind, most in (("human", 3), ("ai", 4))
    for names in ((*SAID,)[:n] for n in range(2, most + 1))
}


def stored_message(message: BaseMessage, *, turn_id: str, step: int = 0) -> str:
    """The message as the stock class stores it, without empty fields, and with its turn beside them. `step` tells those
    between the question and the answer apart.

    Stock readers ignore the tag. A pair with an answer of twenty words takes 536 bytes, the stock one 974.
    """
    message_id = f"{turn_id}_{message.type}{f'_{step}' if step else ''}"
    data: dict[str, object] = {"content": message.content, "type": message.type, "id": message_id}
    for name in ("usage_metadata", "tool_calls", "tool_call_id"):
        if value := getattr(message, name, None):
            data[name] = value
    return json.dumps({"type": message.type, "data": data, "turn": turn_id})


def read_messages(stored: Sequence[bytes]) -> list[BaseMessage]:
    """From the first human message on, because providers refuse a conversation that begins with an answer."""
    messages: list[BaseMessage] = []
    for item in stored:
        message = _read_plain(item) or _read(item)
        if message and (messages or isinstance(message, HumanMessage)):
            messages.append(message)
    return messages


def _read(item: bytes) -> BaseMessage | None:
    """One unreadable item makes the stock class fail for ever; here it costs one message."""
    try:
        read = json.loads(item)
        json.dumps(read, ensure_ascii=False).encode()  # half a character cannot be sent to any provider
        [message] = messages_from_dict([read])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        get_logger().warning(Log.MESSAGE_SKIPPED, error=type(error).__name__)
        return None
    return message


def _read_plain(item: bytes) -> BaseMessage | None:
    """What `_read` gives for a message that only says something, as nearly all do; None for any other.

    Twenty of them take 105 µs instead of 245: LangChain and pydantic look for what is not there.
    """
    try:
        stored = orjson.loads(item)
        kind, data = stored["type"], stored["data"]
        like = FORMS[kind, (*data,)]
    except (ValueError, KeyError, TypeError):  # also for what only Python's own reader takes, such as NaN
        return None
    if type(data["content"]) is not str or data["type"] != kind or type(data.get("id", "")) is not str:
        return None
    return _copy(like, data) if "usage_metadata" not in data or _counts(data["usage_metadata"]) else None


def _counts(usage: Any) -> bool:
    """Whether these are numbers of tokens as LangChain takes them, so that it would change nothing."""
    if type(usage) is not dict:
        return False
    details = [usage[name] for name in DETAILS if name in usage]
    numbers = [usage.get(name) for name in COUNTS]
    for each in details:
        if type(each) is not dict:
            return False
        numbers += each.values()
    return len(usage) == len(COUNTS) + len(details) and all(type(number) is int for number in numbers)


def _copy(like: BaseMessage, data: dict[str, Any]) -> BaseMessage:
    """A message of its own with these fields, which need no check any more."""
    message = like.__copy__()
    fields = vars(message)
    fields.update(data)
    for name in ("additional_kwargs", "response_metadata", "tool_calls", "invalid_tool_calls"):
        if name in fields:
            fields[name] = type(fields[name])()
    return message
