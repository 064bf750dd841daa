"""The output of a custom chain: its text, its messages, and its object if it returns one."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.runnables.utils import AddableDict
from pydantic import BaseModel
from pydantic_core import PydanticSerializationError, to_json

from turns.domain.content.answer_parts import Extra
from worker.langchain.history import merge_chunks, to_whole_message
from worker.langchain.output.blocks import find_extras

TEXT_FIELDS = ("answer", "output")  # of an object, as in LangChain's retrieval chains and agents
RULE = (
    "it must return text, messages of a model or a tool, or an object: a dict, a list, a dataclass or a pydantic model"
)


@dataclass(frozen=True, slots=True)
class GraphMessages:
    """All messages after the question in the final state of a graph."""

    messages: list[BaseMessage]


@dataclass(frozen=True, slots=True)
class ChainObject:
    """An object beside the text of the answer."""

    value: Any


class ChainOutput:
    """The output of a chain so far."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._parts: list[list[Any]] = []  # for each message itself, or its chunks
        self._graph_messages: list[BaseMessage] | None = None
        self._starts_paragraph = False
        self._object: Any = None
        self.extras: list[Extra] = []

    @property
    def text(self) -> str:
        return "".join(self._texts)

    @property
    def data(self) -> str | None:
        """The object as JSON; None if there is none. Raise `TypeError` if it has no JSON form."""
        if self._object is None:
            return None
        # The steps of a RunnableParallel end in any order.
        value = dict(sorted(self._object.items())) if isinstance(self._object, AddableDict) else self._object
        try:
            return to_json(value, inf_nan_mode="null").decode()
        except PydanticSerializationError as error:
            raise TypeError(f"the object that the chain returned has no JSON form: {error}") from error

    @property
    def messages(self) -> list[BaseMessage]:
        if self._graph_messages is not None:
            return self._graph_messages
        return [to_whole_message(merge_chunks(parts)) for parts in self._parts]

    def add(self, chunk: object) -> str:
        """Add what the chain has yielded and return its text. Raise `TypeError` for an unsupported type."""
        match chunk:
            case str():
                return self._append(chunk)
            case AIMessage():
                if not self._continues(chunk):
                    self._parts.append([])
                    self._starts_paragraph = bool(self._texts)
                self._parts[-1].append(chunk)
                text = self._append(str(chunk.text))
                if isinstance(chunk.content, list):
                    self.extras += [(len(self.text), part) for part in find_extras(chunk)]
                return text
            case ToolMessage():
                self._parts.append([chunk])
            case GraphMessages(messages):
                self._graph_messages = messages
            case ChainObject(value):
                self._object = value
            case [*messages] if all(isinstance(message, AIMessage | ToolMessage) for message in messages):
                return "".join(map(self.add, messages))
            case _ if is_object(chunk):
                return self._add_object(chunk)
            case _:
                raise TypeError(f"the chain returned a {type(chunk).__name__}; {RULE}")
        return ""

    def finish(self) -> str:
        """Return the text of a graph's last message, or of the object, if the chain has yielded no text before."""
        if self._texts:
            return ""
        if self._graph_messages:
            return self._append(str(self._graph_messages[-1].text))
        return "" if self._object is None else self._append(text_of(self._object) or self.data or "")

    def _add_object(self, chunk: Any) -> str:
        """Add a part of an object, or a more complete version of it; LangChain's own steps yield either."""
        if not isinstance(chunk, AddableDict):
            self._object = chunk
            return ""
        self._object = self._object + chunk if isinstance(self._object, AddableDict) else chunk
        return self._append(text_of(chunk))

    def _continues(self, chunk: AIMessage) -> bool:
        """Return whether it is another chunk of the last message."""
        last = self._parts[-1][-1] if self._parts else None
        return isinstance(chunk, AIMessageChunk) and isinstance(last, AIMessageChunk) and chunk.id in {last.id, None}

    def _append(self, text: str) -> str:
        """Append text; each message of the answer is a paragraph."""
        if text and self._starts_paragraph:
            text, self._starts_paragraph = f"\n\n{text}", False
        if text:
            self._texts.append(text)
        return text


def is_object(value: object) -> bool:
    """Return whether a chain may return this as an object. A question is not an answer, in messages either."""
    if isinstance(value, BaseMessage | type) or (isinstance(value, list) and any(map(is_message, value))):
        return False
    return isinstance(value, Mapping | list | BaseModel) or dataclasses.is_dataclass(value)


def is_message(value: object) -> bool:
    return isinstance(value, BaseMessage)


def text_of(value: Any) -> str:
    """Return the text in the object's field `answer` or `output`; "" if it has none."""
    found = [value.get(name) if isinstance(value, Mapping) else getattr(value, name, None) for name in TEXT_FIELDS]
    return next((text for text in found if isinstance(text, str)), "")
