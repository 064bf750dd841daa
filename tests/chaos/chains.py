"""A custom chain that blocks, crashes or hangs, as the text of its turn says."""

import os
import time
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.runnables import Runnable, RunnableLambda

from tests.support.processes import EXAMPLE_SYSTEM_MESSAGE

PROMPT = ChatPromptTemplate.from_messages(
    [("system", EXAMPLE_SYSTEM_MESSAGE["content"]), MessagesPlaceholder("history"), ("human", "{input}")]
)
BLOCK_SECONDS = 1.0
HANG_SECONDS = 60.0
EXIT_CODE = 3


def build(model: BaseChatModel) -> Runnable[dict[str, Any], str]:
    return RunnableLambda(misbehave) | PROMPT | model | StrOutputParser()


def misbehave(given: dict[str, Any]) -> dict[str, Any]:
    """Do what the text of the turn says, and return the input of the chain."""
    text = given["input"]
    if "[crash " in text:
        os._exit(EXIT_CODE)
    until = time.monotonic() + (BLOCK_SECONDS if "[block " in text else 0)
    while time.monotonic() < until:
        pass
    until = time.monotonic() + (HANG_SECONDS if "[hang " in text else 0)
    while time.monotonic() < until:
        time.sleep(0.05)
    return given
