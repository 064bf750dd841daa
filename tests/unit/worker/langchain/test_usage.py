"""What a provider counts is believed only where it can be."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from turns.domain.turn import Usage
from worker.langchain.chain import MAX_TOKENS, to_usage


def answer(tokens: Any) -> AIMessage:
    """As `langchain-openai` makes one: what the provider counted is not looked at."""
    message = AIMessage("hello")
    counted = {"input_tokens": 1, "output_tokens": tokens, "total_tokens": 1}
    message.usage_metadata = counted  # type: ignore[assignment]
    return message


@pytest.mark.parametrize("tokens", [0, 7, MAX_TOKENS])
def test_what_can_be(tokens: int) -> None:
    assert to_usage(answer(tokens)) == Usage(input_tokens=1, output_tokens=tokens, total_tokens=1)


@pytest.mark.parametrize("tokens", [-1, MAX_TOKENS + 1, 10.5, "11", None, True])
def test_what_cannot_be_is_none(tokens: Any) -> None:
    assert to_usage(answer(tokens)) is None
