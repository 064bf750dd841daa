"""Test that implausible token counts of a provider are ignored."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from turns.domain.turn import Usage
from worker.langchain.chain import MAX_TOKENS, to_usage


def answer(tokens: Any) -> AIMessage:
    """Return an answer as `langchain-openai` builds it, which does not validate the counts."""
    message = AIMessage("hello")
    counts = {"input_tokens": 1, "output_tokens": tokens, "total_tokens": 1}
    message.usage_metadata = counts  # type: ignore[assignment]
    return message


@pytest.mark.parametrize("tokens", [0, 7, MAX_TOKENS])
def test_plausible_counts_are_the_usage(tokens: int) -> None:
    assert to_usage(answer(tokens)) == Usage(input_tokens=1, output_tokens=tokens, total_tokens=1)


@pytest.mark.parametrize("tokens", [-1, MAX_TOKENS + 1, 10.5, "11", None, True])
def test_implausible_counts_are_no_usage(tokens: Any) -> None:
    assert to_usage(answer(tokens)) is None
