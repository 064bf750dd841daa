"""Test that implausible token counts of a provider are ignored."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage

from turns.domain.run.spending import Usage
from worker.langchain.model_calls import MAX_TOKENS, to_usage


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


@pytest.mark.parametrize(
    ("details", "cached", "reasoning"),
    [
        ({"input_token_details": {"cache_read": 60}, "output_token_details": {"reasoning": 5}}, 60, 5),
        ({"input_token_details": {"cache_read": 101}, "output_token_details": {"reasoning": "5"}}, 0, 0),
        ({"input_token_details": None, "output_token_details": {}}, 0, 0),
    ],
)
def test_plausible_parts_of_the_counts_are_kept(details: Any, cached: int, reasoning: int) -> None:
    message = AIMessage("hello")
    counts = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}
    message.usage_metadata = {**counts, **details}  # type: ignore[assignment]
    usage = to_usage(message)
    assert usage == Usage(**counts, cached_tokens=cached, reasoning_tokens=reasoning)
