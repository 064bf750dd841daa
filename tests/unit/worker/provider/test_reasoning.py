"""Test that the reasoning of a model reaches callers who are to see it, and nobody else."""

from collections.abc import Sequence
from typing import Any

import httpx2
import orjson
import pytest

from worker.provider.answer import StreamedAnswer, to_completion
from worker.provider.request_ids import ProviderRequest

REQUEST = httpx2.Request("POST", "http://models.example")


def chunk(**delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def deliver(*chunks: Any, shows: bool = True) -> list[str]:
    """Return the reasoning, in brackets, and the texts in the order of their delivery."""
    received: list[str] = []
    request = ProviderRequest("c", on_reasoning=(lambda text: received.append(f"[{text}]")) if shows else None)
    with request.sending():
        answer = StreamedAnswer(REQUEST)
        for delivered in answer.deliver([(b"", orjson.dumps(one)) for one in chunks]):
            received += [text for choice in delivered["choices"] if (text := (choice["delta"] or {}).get("content"))]
    return received


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "Hm"},
        {"reasoning": "Hm", "content": None},
        {"reasoning": "Hm", "reasoning_content": "Hm", "content": ""},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]},
        {"content": [{"type": "thinking", "thinking": "Hm"}]},
    ],
)
def test_each_form_of_reasoning_is_delivered(delta: dict[str, Any]) -> None:
    chunks = (chunk(role="assistant", content=""), chunk(**delta), chunk(content="Noon."))
    assert deliver(*chunks) == ["[Hm]", "Noon."]
    assert deliver(*chunks, shows=False) == ["Noon."]


def test_reasoning_keeps_its_place_between_texts() -> None:
    chunks = (chunk(content="a"), chunk(reasoning="b", content="c"), chunk(content="d"), chunk(reasoning="e"))
    assert deliver(*chunks) == ["a", "[b]", "c", "d", "[e]"]


@pytest.mark.parametrize("odd", [[1], {"x": 1}, 7, {"reasoning": {"x": 1}}, [None]], ids=repr)
def test_odd_reasoning_is_ignored(odd: Any) -> None:
    chunks: Sequence[Any] = (chunk(content="a"), chunk(reasoning=odd), chunk(content="b"))
    assert "".join(deliver(*chunks)) == "ab"


def test_a_whole_completion_has_reasoning_too() -> None:
    received: list[str] = []
    message = {"role": "assistant", "content": "Noon.", "reasoning_content": "Hm"}
    body = orjson.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})
    with ProviderRequest("c", on_reasoning=received.append).sending():
        completion = to_completion(body, REQUEST, 1000)
    assert (received, completion["choices"][0]["message"]["content"]) == (["Hm"], "Noon.")
