"""The scripted model answers as OpenAI's API does."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from inturn.testing import Messages, ModelError, Reply, ScriptedModel, ToolCall


def script(messages: Messages) -> Reply:
    question = messages[-1]["content"]
    if question == "call":
        return ToolCall("find", number=7)
    if question == "fail":
        return ModelError(429, "too fast")
    return {"greet": "good  day to you"}[question]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel(script).running() as model:
        yield model


@pytest.fixture
def provider(model: ScriptedModel) -> Iterator[Any]:
    """Yield OpenAI's client, untyped, because its types want one class per kind of message."""
    transport = httpx2.Client(trust_env=False)
    with openai.OpenAI(base_url=model.url, api_key="k", max_retries=0, http_client=transport) as provider:
        yield provider


def test_a_text_is_streamed_by_word_and_whole(provider: Any) -> None:
    messages = [{"role": "user", "content": "greet"}]
    chunks = list(provider.chat.completions.create(model="m", messages=messages, stream=True))
    words = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert "".join(words) == "good  day to you"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 12
    whole = provider.chat.completions.create(model="m", messages=messages)
    assert whole.choices[0].message.content == "good  day to you"


def test_a_tool_call_has_its_arguments_as_json(provider: Any, model: ScriptedModel) -> None:
    messages = [{"role": "user", "content": "call"}]
    reply = provider.chat.completions.create(model="m", messages=messages)
    [call] = reply.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("find", '{"number": 7}')
    assert reply.choices[0].finish_reason == "tool_calls"
    assert model.requests[-1]["messages"] == messages


@pytest.mark.parametrize(("question", "status", "message"), [("fail", 429, "too fast"), ("huh", 400, "KeyError")])
def test_failures_have_their_status(provider: Any, question: str, status: int, message: str) -> None:
    with pytest.raises(openai.APIStatusError, match=message) as caught:
        provider.chat.completions.create(model="m", messages=[{"role": "user", "content": question}])
    assert caught.value.status_code == status
