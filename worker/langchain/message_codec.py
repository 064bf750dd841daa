"""Encode and decode stored messages: LangChain's own JSON form, without empty fields."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

import orjson
from langchain_core.messages import BaseMessage, messages_from_dict

from turns.config.logs import Log, get_logger
from turns.domain.messages import question_turn
from turns.domain.run.claim import Claim
from worker.langchain.legal_history import Reason, make_legal

UNESCAPED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
ESCAPED = json.JSONEncoder(separators=(",", ":"))
INCOMPLETE = {"status": "incomplete"}  # of a partial answer, in the words of OpenAI's Responses API
NO_METADATA: Mapping[str, str] = MappingProxyType({})
DETAILS = (("input_token_details", "cache_read"), ("output_token_details", "reasoning"))


def encode_pair(
    claim: Claim, question: BaseMessage, answer: BaseMessage | None, *, is_incomplete: bool = False
) -> tuple[str, str]:
    """Return the stored question and answer of a turn that ends now; '' without an answer.

    A question with an answer has no id, because that of the answer tells its turn.
    """
    metadata = claim.metadata if claim.metadata_json != "{}" else NO_METADATA
    stored = encode_message(question, turn_id=claim.turn_id, metadata=metadata, has_id=answer is None)
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
    has_id: bool = True,
) -> str:
    """Return the message as LangChain's Redis history stores it, without empty fields; its id has that of its turn.

    `step` numbers the messages between the question and the answer, from 1. `at` is the time (ms) of an answer; that of
    a question is in the turn id. LangChain reads `type` and `data` only, so the rest is never sent to a model. Usual
    token counts are `usage`, a list, which `decode_messages` restores.
    """
    data: dict[str, object] = {"content": message.content}
    if has_id:
        data["id"] = f"{turn_id}_{message.type}{f'_{step}' if step else ''}"
    stored: dict[str, object] = {"type": message.type, "data": data}
    for name in ("tool_calls", "tool_call_id"):
        if value := getattr(message, name, None):
            data[name] = value
    if usage := getattr(message, "usage_metadata", None):
        counts = _counts_of(usage)
        if counts:
            stored["usage"] = counts
        else:
            data["usage_metadata"] = usage
    if is_incomplete:
        data["response_metadata"] = INCOMPLETE
    if at is not None:
        stored["at"] = at
    if metadata:
        stored["metadata"] = dict(metadata)
    return to_json(stored)


def decode_messages(stored: Sequence[bytes]) -> list[BaseMessage]:
    """Return the messages that a provider accepts, and log how many are left out for which reasons.

    LangChain's own class raises for an unreadable message, so that each later turn of the session would fail.
    """
    parsed = [_parse(item) for item in stored]
    for question, answer in pairwise(parsed):
        _restore_id(question, answer)
    decoded = [message for item in parsed if (message := _decode(item))]
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


def _counts_of(usage: Any) -> list[int] | None:
    """Return the tokens of input and output and, unless both are 0, those from a cache and of reasoning.

    Return None if the token counts contain anything else, apart from zeros: OpenAI reports details that are 0.
    """
    try:
        details = [usage.get(name, {}).get(part, 0) for name, part in DETAILS]
        counts = [usage["input_tokens"], usage["output_tokens"], *(details if any(details) else ())]
        is_all = _without_zeros(_usage_of(counts)) == _without_zeros(usage)
    except (AttributeError, KeyError, TypeError):
        return None
    return counts if is_all else None


def _usage_of(counts: list[int]) -> dict[str, Any]:
    """Return the token counts in LangChain's form of which `_counts_of` has returned this list."""
    of_input, of_output, *details = counts
    usage: dict[str, Any] = {
        "input_tokens": of_input,
        "output_tokens": of_output,
        "total_tokens": of_input + of_output,
    }
    if details:  # of few answers; an answer has this done for each message before it
        usage |= {name: {part: count} for (name, part), count in zip(DETAILS, details, strict=True) if count}
    return usage


def _without_zeros(usage: Mapping[str, Any]) -> dict[str, Any]:
    parts = {
        name: {part: count for part, count in value.items() if count} if isinstance(value, Mapping) else value
        for name, value in usage.items()
    }
    return {name: value for name, value in parts.items() if value}


def _restore_id(question: Any, answer: Any) -> None:
    """Give a question its id again, which `encode_pair` has left out."""
    try:
        data = question["data"]
        if question["type"] == "human" and "id" not in data and (turn_id := question_turn(answer["data"].get("id"))):
            data["id"] = f"{turn_id}_human"
    except (AttributeError, KeyError, TypeError):
        return  # of another program


def _decode(stored: Any) -> BaseMessage | None:
    try:
        counts = stored.get("usage")
        if isinstance(counts, list):  # a dict is another program's
            stored["data"]["usage_metadata"] = _usage_of(counts)
        [message] = messages_from_dict([stored])
    except Exception:  # LangChain raises errors of many types for data that it did not write
        return None
    return message


def _parse(item: bytes) -> Any:
    """Return the value of stored JSON; None if it is not valid."""
    try:
        return orjson.loads(item)
    except orjson.JSONDecodeError:  # it may be valid for Python, whose `json` writes NaN
        pass
    try:
        parsed = json.loads(item)
        json.dumps(parsed, ensure_ascii=False).encode()  # raises for half of a surrogate pair, which cannot be sent
    except (ValueError, RecursionError):
        return None
    return parsed
