"""A custom chain with structured output: the model fills in a form.

Callers find the form in `output.data`. Its field `answer` is the text of the turn and enters the history.
"""

from typing import Any, Literal

from langchain_core.language_models import BaseChatModel
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable
from pydantic import BaseModel, Field

PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "You answer customers, and sort their messages."),
        MessagesPlaceholder("history"),
        ("human", "{input}"),
    ]
)


class Ticket(BaseModel):
    """The answer to a customer, and how the message is sorted."""

    answer: str = Field(description="What the customer reads")
    subject: Literal["order", "delivery", "other"]
    is_urgent: bool


def build(model: BaseChatModel) -> Runnable[dict[str, Any], Any]:
    return PROMPT | model.with_structured_output(Ticket)
