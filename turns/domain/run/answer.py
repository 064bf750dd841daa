"""The result of an attempt before its commit."""

from dataclasses import dataclass

from turns.domain.content.answer_parts import Extra
from turns.domain.run.spending import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of an attempt before its commit: the messages to store, and the answer for callers."""

    question_message: str
    answer_message: str
    output: str
    model: str
    usage: Usage | None
    unreported_calls: int = 0  # calls of a model that `usage` does not have
    status_reason: str | None = None  # "length" if the model stopped at its token limit; the answer can be continued
    between_messages: tuple[str, ...] = ()  # tool calls and their results, if the assistant keeps them
    data: str | None = None  # the object of a custom chain, as JSON
    extras: tuple[Extra, ...] = ()  # citations and images
    parts: str | None = None  # all that the answer has, as JSON, if that is more than text
    files: tuple[str, ...] = ()  # ids of the files with its images
