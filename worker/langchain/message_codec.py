"""Encode and decode stored messages: LangChain's own JSON form, without empty fields."""

import json
import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import orjson
from langchain_core.messages import BaseMessage, messages_from_dict

from turns.config.logs import Log, get_logger
from turns.domain.run.claim import Claim
from worker.langchain.legal_history import Reason, make_legal

UNESCAPED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
ESCAPED = json.JSONEncoder(separators=(",", ":"))
INCOMPLETE = {"status": "incomplete"}  # of a partial answer, in the words of OpenAI's Responses API
NO_METADATA: Mapping[str, str] = MappingProxyType({})


def encode_pair(
    claim: Claim, question: BaseMessage, answer: BaseMessage | None, *, is_incomplete: bool = False
) -> tuple[str, str]:
    """Return the stored question and answer of a turn that ends now; '' without an answer."""
    metadata = claim.metadata if claim.metadata_json != "{}" else NO_METADATA
    stored = encode_message(question, turn_id=claim.turn_id, metadata=metadata)
    if answer is None:
        return stored, ""
    now_ms = round(time.time() * 1000)
    return stored, encode_message(
        answer, turn_id=claim.turn_id, at=now_ms, metadata=metadata, is_incomplete=is_incomplete
    )


def encode_message(
    message: BaseMessage,
    *,
    turn_id: str,
    step: int = 0,
    at: int | None = None,
    metadata: Mapping[str, str] = NO_METADATA,
    is_incomplete: bool = False,
) -> str:
    """Return the message as LangChain's Redis history stores it, without empty fields; its id has that of its turn.

    `step` numbers the messages between the question and the answer, from 1. `at` is the time (ms) of an answer; that of
    a question is in the turn id. LangChain reads `type` and `data` only, so the rest is never sent to a model. A
    question and an answer of twenty words take 456 bytes; LangChain's form takes 974.
    """
    message_id = f"{turn_id}_{message.type}{f'_{step}' if step else ''}"
    data: dict[str, object] = {"content": message.content, "type": message.type, "id": message_id}
    for name in ("usage_metadata", "tool_calls", "tool_call_id"):
        if value := getattr(message, name, None):
            data[name] = value
    if is_incomplete:
        data["response_metadata"] = INCOMPLETE
    stored: dict[str, object] = {"type": message.type, "data": data}
    if at is not None:
        stored["at"] = at
    if metadata:
        stored["metadata"] = dict(metadata)
    return to_json(stored)


def decode_messages(stored: Sequence[bytes]) -> list[BaseMessage]:
    """Return the messages that a provider accepts, and log how many are left out for which reasons.

    LangChain's own class raises for an unreadable message, so that each later turn of the session would fail.
    """
    decoded = [message for item in stored if (message := _decode(item))]
    messages, skipped = make_legal(decoded)
    if unreadable := len(stored) - len(decoded):
        skipped[Reason.UNREADABLE] = unreadable
    if skipped:
        get_logger().warning(
            Log.MESSAGE_SKIPPED,
            count=skipped.total(),
            reasons={str(reason): count for reason, count in skipped.items()},
        )
    return messages


def to_json(stored: dict[str, object]) -> str:
    """Return JSON without spaces and escapes, which would take six bytes for each letter that is not ASCII.

    Raise `TypeError` for a value without a JSON form, such as a date, which orjson would turn into a text.
    """
    text = UNESCAPED.encode(stored)
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return ESCAPED.encode(stored)
    return text


def _decode(item: bytes) -> BaseMessage | None:
    try:
        [message] = messages_from_dict([_parse(item)])
    except Exception:  # LangChain raises errors of many types for data that it did not write
        return None
    return message


def _parse(item: bytes) -> Any:
    try:
        return orjson.loads(item)
    except orjson.JSONDecodeError:  # it may be valid for Python, whose `json` writes NaN
        parsed = json.loads(item)
        json.dumps(parsed, ensure_ascii=False).encode()  # raises for half of a surrogate pair, which cannot be sent
        return parsed
