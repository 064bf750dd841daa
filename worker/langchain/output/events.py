"""Events of a custom chain: its tools, the reasoning of its models, and what it sends itself."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage, ToolMessage
from pydantic_core import PydanticSerializationError, to_json

from turns.domain.events import MAX_EVENT_BYTES, EventType, OutputEvent, ToolState

MAX_NAME_CHARACTERS = 128
MAX_DETAIL_CHARACTERS = 4096  # of the arguments or the result of a tool


class EventObserver(BaseCallbackHandler):
    """Callback that sends what happens inside a chain, in the order in which it happens."""

    run_inline = True
    raise_error = True  # an event that cannot be sent raises where the chain sends it
    ignore_chain = ignore_chat_model = ignore_retriever = ignore_retry = True

    def __init__(self, emit: Callable[[OutputEvent], object], *, with_details: bool, with_reasoning: bool) -> None:
        """With details, the arguments and results of tools are sent too."""
        self._emit = emit
        self._with_details = with_details
        self._with_reasoning = with_reasoning
        self._tools: dict[UUID, tuple[str, str]] = {}  # the call id and the name of each running tool

    @property
    def ignore_llm(self) -> bool:
        return not self._with_reasoning

    def on_custom_event(self, name: str, data: Any, **_: Any) -> None:
        self._emit(data_event(data, name=name))

    def on_llm_new_token(self, token: Any, *, chunk: Any = None, **_: Any) -> None:
        for text in find_reasoning(getattr(chunk, "message", None)):
            self._emit(OutputEvent(EventType.REASONING, text))

    def on_tool_start(
        self,
        serialized: Any,
        input_str: str,
        *,
        run_id: UUID,
        inputs: Any = None,
        tool_call_id: str | None = None,
        name: str | None = None,
        **_: Any,
    ) -> None:
        name = (serialized or {}).get("name") or name or "tool"
        self._tools[run_id] = call = (_shorten(tool_call_id or str(run_id), MAX_NAME_CHARACTERS), _shorten(name))
        arguments = json.dumps(inputs, ensure_ascii=False, default=str) if isinstance(inputs, dict) else input_str
        self._send(call, ToolState.STARTED, arguments=arguments)

    def on_tool_end(self, output: Any, *, run_id: UUID, **_: Any) -> None:
        is_failed = isinstance(output, ToolMessage) and output.status == "error"
        result = output.text if isinstance(output, BaseMessage) else str(output)
        self._end(run_id, ToolState.FAILED if is_failed else ToolState.FINISHED, str(result))

    def on_tool_error(self, error: BaseException, *, run_id: UUID, **_: Any) -> None:
        self._end(run_id, ToolState.FAILED, str(error))

    def _end(self, run_id: UUID, state: ToolState, result: str) -> None:
        if call := self._tools.pop(run_id, None):
            self._send(call, state, result=result)

    def _send(self, call: tuple[str, str], state: ToolState, **details: str) -> None:
        call_id, name = call
        shown = (
            {key: _shorten(text, MAX_DETAIL_CHARACTERS) for key, text in details.items()} if self._with_details else {}
        )
        self._emit(OutputEvent(EventType.TOOL, json.dumps({"call_id": call_id, "name": name, "state": state, **shown})))


def data_event(value: Any, *, name: str | None = None) -> OutputEvent:
    """Return the event for a value that a chain sends. Raise `TypeError` or `ValueError` if it cannot be sent."""
    try:
        text = to_json({"name": name, "data": value}, inf_nan_mode="null")
    except PydanticSerializationError as error:
        raise TypeError(f"an event of the chain has no JSON form: {error}") from error
    if len(text) > MAX_EVENT_BYTES:
        raise ValueError(f"an event of the chain has {len(text)} bytes as JSON; it may have {MAX_EVENT_BYTES}")
    return OutputEvent(EventType.DATA, text.decode())


def find_reasoning(message: Any) -> Iterator[str]:
    """Yield the reasoning in a message or a chunk of one, whatever its provider calls it."""
    if not isinstance(message, BaseMessage) or not (message.additional_kwargs or isinstance(message.content, list)):
        return
    for block in message.content_blocks:
        if block["type"] == "reasoning" and (text := block.get("reasoning")):
            yield _sendable(text)


def _shorten(text: str, max_characters: int = MAX_NAME_CHARACTERS) -> str:
    return _sendable(text if len(text) <= max_characters else f"{text[: max_characters - 1]}…")


def _sendable(text: str) -> str:
    """Return the text without half of a surrogate pair, which has no form in UTF-8."""
    return text.encode(errors="replace").decode()
