"""A custom chain: prompt | model | parser.

The worker calls the factory with the assistant's model. The factory returns a Runnable, which gets `input`, `history`
and the declared variables.
"""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable

PROMPT = ChatPromptTemplate.from_messages(
    [
        ("system", "You answer with a haiku, and the season is {season}."),
        MessagesPlaceholder("history"),
        ("human", "{input}"),
    ]
)


def build(model: BaseChatModel) -> Runnable[dict[str, Any], str]:
    return PROMPT | model | StrOutputParser()
