"""The result of an attempt before its commit."""

from dataclasses import dataclass

from turns.domain.content.answer_parts import Extra
from turns.domain.run.spending import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of an attempt before its commit: the messages to store, and the answer for callers.

    `between_messages` are the tool calls and their results between question and answer, if the assistant keeps them.
    `data` is the object of a custom chain as JSON. `unreported_calls` are calls of a model that `usage` does not have.
    `extras` are its citations and images, and `parts` as JSON is all that it has if that is more than text. `files` are
    the ids of the files with its images.
    `status_reason` is "length" if the model stopped at its token limit; such an answer is kept and can be continued.
    """

    question_message: str
    answer_message: str
    output: str
    model: str
    usage: Usage | None
    unreported_calls: int = 0
    status_reason: str | None = None
    between_messages: tuple[str, ...] = ()
    data: str | None = None
    extras: tuple[Extra, ...] = ()
    parts: str | None = None
    files: tuple[str, ...] = ()
