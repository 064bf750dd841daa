"""Leave out of a stored history what no provider accepts. It stays in the store.

Other programs write to the same histories, and may store a tool call before they have its result. If they stop in
between, a provider rejects that history, so without this each later turn of the session would fail.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

import orjson
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)
from langchain_core.messages.utils import count_tokens_approximately

CHAT_ROLES = frozenset({"user", "assistant", "system", "developer"})
NAME = re.compile(r"[^\s<|\\/>]{1,64}")  # the names that OpenAI accepts; other providers ignore names


class Reason(StrEnum):
    """Why a message, or the tool calls of a message, are left out."""

    UNREADABLE = "unreadable"  # not JSON, or not a message
    UNUSABLE = "unusable"  # its type, role or content cannot be counted or sent, such as LangGraph's `RemoveMessage`
    EMPTY = "empty"
    NO_RESULT = "no_result"  # not all of its tool calls have a result; its text is kept
    NO_CALL = "no_call"  # a tool result that does not follow its call, or is the second one


def make_legal(messages: Sequence[BaseMessage]) -> tuple[list[BaseMessage], Counter[Reason]]:
    """Return the messages that a provider accepts, and how many are left out for each reason.

    They begin with a question, because providers reject a prompt that begins with an answer. Messages before it are
    not counted: usually the window has cut them off from their question. An answer of content blocks becomes its text,
    because providers accept no other blocks in an answer.
    """
    history, skipped = _from_question(messages), Counter[Reason]()
    if all(map(_is_plain, history)):
        return history, skipped
    usable = [_repair(message) for message in history if _is_usable(message)]
    skipped[Reason.UNUSABLE] = len(history) - len(usable)
    legal: list[BaseMessage] = []
    for message, results in _group_results(_from_question(usable)):
        legal += _legal_group(message, results, skipped)
    return _from_question(legal), +skipped


def is_valid_exchange(messages: Sequence[BaseMessage]) -> bool:
    """Return whether a provider accepts these messages of models and tools after a question."""
    if not messages or not all(isinstance(message, AIMessage | ToolMessage) for message in messages):
        return False
    ends_with_answer = isinstance(messages[-1], AIMessage) and not _calls_of(messages[-1])
    _, skipped = make_legal([HumanMessage("question"), *messages])
    return ends_with_answer and not skipped


def _from_question(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    start = next((n for n, message in enumerate(messages) if isinstance(message, HumanMessage)), len(messages))
    return list(messages[start:])


def _is_plain(message: BaseMessage) -> bool:
    """Return whether it is a question or an answer of text alone, which is legal after any other message."""
    if not message.content or type(message.content) is not str or message.name is not None:
        return False
    return type(message) is HumanMessage or (
        type(message) is AIMessage
        and not message.tool_calls
        and not message.invalid_tool_calls
        and not message.additional_kwargs
    )


def _is_usable(message: BaseMessage) -> bool:
    match message:
        case HumanMessage() | AIMessage() | ToolMessage() | FunctionMessage():
            pass
        case SystemMessage() if message.additional_kwargs.get("__openai_role__", "system") in CHAT_ROLES:
            pass
        case ChatMessage(role=role) if role in CHAT_ROLES:
            pass
        case _:
            return False
    try:
        count_tokens_approximately([message])
        orjson.dumps([message.content, message.additional_kwargs, getattr(message, "tool_calls", None)])
    except Exception:  # content blocks can hold anything, which fails in many ways
        return False
    return True


def _repair(message: BaseMessage) -> BaseMessage:
    """Return the message in a form that each provider accepts, or the same object if it has that form."""
    update: dict[str, object] = {}
    if isinstance(message.content, list):
        if isinstance(message, AIMessage):
            update["content"] = str(message.text)
        elif any(isinstance(block, str) for block in message.content):
            update["content"] = [{"type": "text", "text": b} if isinstance(b, str) else b for b in message.content]
    name = message.name or message.additional_kwargs.get("name")
    if name is not None and not (isinstance(name, str) and NAME.fullmatch(name)):
        others = {key: value for key, value in message.additional_kwargs.items() if key != "name"}
        update |= {"name": None, "additional_kwargs": others}
    return message.model_copy(update=update) if update else message


def _group_results(messages: Sequence[BaseMessage]) -> list[tuple[BaseMessage, list[BaseMessage]]]:
    """Return each message with the tool results directly after it. The first one must not be a result."""
    groups: list[tuple[BaseMessage, list[BaseMessage]]] = []
    for message in messages:
        if isinstance(message, ToolMessage | FunctionMessage):
            groups[-1][1].append(message)
        else:
            groups.append((message, []))
    return groups


def _legal_group(
    message: BaseMessage, results: Sequence[BaseMessage], skipped: Counter[Reason]
) -> Iterable[BaseMessage]:
    """Return what is legal of a message and the results directly after it, and count the rest."""
    calls = _calls_of(message)
    answers: dict[str | None, BaseMessage] = {}
    for result in results:
        if (call := _call_of_result(result)) in calls:
            answers.setdefault(call, result)
    if len(answers) < len(calls):  # also if two calls have the same id
        skipped[Reason.NO_RESULT] += 1
        skipped[Reason.NO_CALL] += len(results)
        return [AIMessage(text, id=message.id)] if (text := str(message.text)) else []
    skipped[Reason.NO_CALL] += len(results) - len(answers)
    if not calls and not message.content:
        skipped[Reason.EMPTY] += 1
        return []
    return [message, *answers.values()]


def _calls_of(message: BaseMessage) -> list[str | None]:
    """Return the ids of all calls in a message; for a call of OpenAI's former kind, the name of the function."""
    if not isinstance(message, AIMessage):
        return []
    if calls := [*message.tool_calls, *message.invalid_tool_calls]:
        return [call["id"] for call in calls]
    return [_former_call(message)] if "function_call" in message.additional_kwargs else []


def _former_call(message: AIMessage) -> str | None:
    called = message.additional_kwargs["function_call"]
    return f"function {called.get('name')}" if isinstance(called, dict) else None


def _call_of_result(result: BaseMessage) -> str | None:
    return result.tool_call_id if isinstance(result, ToolMessage) else f"function {result.name}"
