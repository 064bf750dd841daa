"""Compare the thin client with OpenAI's own: both send the same requests, and return the same messages and errors."""

import json
import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, BaseMessageChunk, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI

from inturn.testing.ports import free_port
from tests.acceptance.assistants.test_providers import FAILURES
from tests.support.processes import Process, call
from tests.support.waiting import wait_until
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.errors import ModelError
from turns.domain.run.claim import Claim
from worker.langchain.chain import ChainRun, build_chain
from worker.provider.completions import Completions
from worker.provider.models import build_model

Build = Callable[..., ChatOpenAI]
MESSAGES = [SystemMessage("You're good at math"), HumanMessage("one"), AIMessage("two 🙂"), HumanMessage("three")]
CLAIM = Claim(
    turn_id="turn_1",
    token="t",
    number=1,
    attempt=1,
    session="s",
    assistant=DEFAULT,
    input="",
    variables={},
    model="m",
    waited_ms=0,
    superseded=False,
    messages=(),
    traceparent=None,
)
TRANSPORT_HEADERS = {"accept-encoding", "connection", "content-length", "host"}
STOCK_CLIENT_HEADERS = {"x-stainless-read-timeout", "x-stainless-retry-count", "x-stainless-raw-response"}


class Provider:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._process = Process("tests.support.scripted_model", str(self.port), log=directory / "log", environment={})
        wait_until("the provider answers", self._answers)

    def requests(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = call(f"http://127.0.0.1:{self.port}/requests").body
        return requests

    def stop(self) -> None:
        self._process.kill()

    def _answers(self) -> bool:
        try:
            return self.requests() == []
        except OSError:
            return False


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    provider = Provider(tmp_path_factory.mktemp("provider"))
    yield provider
    provider.stop()


@pytest.fixture
def build(provider: Provider) -> Iterator[Build]:
    built: list[Any] = []

    def build(**settings: Any) -> ChatOpenAI:
        model = build_model(Settings(**{"openai_base_url": provider.url, "openai_api_key": "sk-1", **settings}))
        built.append(model)
        return model  # type: ignore[return-value]  # because of these settings

    yield build
    for model in built:
        model.root_client.close()
        if isinstance(model.client, Completions):
            model.client.close()


def streamed(model: ChatOpenAI, question: str) -> BaseMessageChunk:
    first, *more = model.stream(question)
    whole: BaseMessageChunk = first + more
    return whole


def as_data(message: Any) -> dict[str, Any]:
    return {**message.model_dump(exclude={"id"}), "response_metadata": message.response_metadata}


def headers_of(request: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in request["headers"].items()}
    return {name: value for name, value in headers.items() if name not in TRANSPORT_HEADERS | STOCK_CLIENT_HEADERS}


def without_none(value: Any) -> Any:
    """Remove the fields that OpenAI's client adds as None."""
    if isinstance(value, dict):
        return {name: without_none(item) for name, item in value.items() if item is not None}
    return value


def error_of(model: ChatOpenAI, question: str) -> ModelError:
    """Return the error with which a turn of this model ends."""
    run = ChainRun(build_chain(DEFAULT, model), replace(CLAIM, input=question))
    with pytest.raises(ModelError) as caught:
        finish(run)
    return caught.value


def finish(run: ChainRun) -> None:
    deque(run.deltas(), maxlen=0)
    run.answer()


def test_the_request_is_the_same(build: Build, provider: Provider) -> None:
    for stock in (True, False):
        list(build(stock_client=stock).stream(MESSAGES))
        build(stock_client=stock).invoke(MESSAGES, stop=["x"])
    stock_stream, stock_invoke, stream, invoke = provider.requests()[-4:]
    for one, other in ((stock_stream, stream), (stock_invoke, invoke)):
        assert one["body"] == other["body"]
        assert headers_of(one) == headers_of(other)


@pytest.mark.parametrize(
    "question", ["hello", "hello [words 200]", "hello [finish length]", "hello [pace 0.01]", "hello [last one]", "🙂 é"]
)
def test_the_streamed_message_is_the_same(build: Build, question: str) -> None:
    stock, thin = (as_data(streamed(build(stock_client=stock), question)) for stock in (True, False))
    assert stock == thin
    assert thin["usage_metadata"]["total_tokens"] > 0
    assert thin["response_metadata"]["finish_reason"] in {"stop", "length"}


def test_the_whole_message_is_the_same(build: Build) -> None:
    stock, thin = (build(stock_client=stock).invoke("hello") for stock in (True, False))
    assert (stock.content, stock.usage_metadata) == (thin.content, thin.usage_metadata)
    assert without_none(stock.response_metadata) == without_none(thin.response_metadata)


@pytest.mark.parametrize(
    "failure", [*(failure for failure, _, _ in FAILURES), "[fail 429] [retry-after 7]", "[fail 418]"]
)
def test_each_failure_is_the_same_error(build: Build, failure: str) -> None:
    stock, thin = (error_of(build(stock_client=stock), failure) for stock in (True, False))
    assert isinstance(stock, ModelError)
    assert (thin.code, thin.kind, thin.retry_after_seconds) == (stock.code, stock.kind, stock.retry_after_seconds)
    if isinstance(stock.__cause__, openai.APIError):
        assert (type(thin.__cause__), str(thin.__cause__)) == (type(stock.__cause__), str(stock.__cause__))


@pytest.mark.parametrize("failure", ["[fail 401]", "[fail 429]", "[fail 500]"])
def test_without_streaming_each_failure_is_the_same_error(build: Build, failure: str) -> None:
    errors = []
    for stock in (True, False):
        with pytest.raises(Exception) as caught:  # noqa: PT011  # the test compares their types
            build(stock_client=stock).invoke(failure)
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]


def test_an_absent_and_a_silent_provider_are_the_same_errors(build: Build) -> None:
    for question, settings in (
        ("hello", {"openai_base_url": f"http://127.0.0.1:{free_port()}/v1"}),
        ("hello [delay 1]", {"first_token_seconds": 0.1, "idle_seconds": 0.1}),
        ("hello [words 9] [pace 1]", {"first_token_seconds": 0.1, "idle_seconds": 0.1}),
    ):
        stock, thin = (error_of(build(stock_client=stock, **settings), question) for stock in (True, False))
        assert (thin.code, type(thin.__cause__)) == (stock.code, type(stock.__cause__))


def test_a_connection_is_reused_after_a_complete_response(build: Build, provider: Provider) -> None:
    model = build()
    for n in range(10):
        streamed(model, f"hello {n} [words 20]")
        model.invoke(f"hello {n}")
    assert len({request["port"] for request in provider.requests()[-20:]}) == 1


@pytest.mark.parametrize("last", ["", "[last one]"])
def test_a_stream_closed_early_ends_its_connection(build: Build, provider: Provider, last: str) -> None:
    model = build()
    streamed(model, "before")
    left = model.stream(f"left [words 100] [pace 0.05] {last}")
    next(left)
    left.close()  # type: ignore[attr-defined]  # a generator
    wait_until("the provider has noticed", lambda: provider.requests()[-1]["closed"])
    assert streamed(model, "after").content.startswith("answer to after")  # type: ignore[union-attr]  # it is text
    before, closed, after = provider.requests()[-3:]
    assert before["port"] == closed["port"] != after["port"]


def test_a_connection_closed_by_the_provider_is_not_reused(build: Build, tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    model = build(openai_base_url=provider.url)
    streamed(model, "hello")
    provider.stop()
    again = Process("tests.support.scripted_model", str(provider.port), log=tmp_path / "log", environment={})
    wait_until("it is back", provider._answers)
    assert streamed(model, "hello again").content
    again.kill()


def test_a_forked_process_does_not_use_the_connections_of_its_parent(build: Build) -> None:
    """Each would read responses to the other."""
    model = build()
    streamed(model, "warm")
    reading, writing = os.pipe()
    children = []
    for n in range(4):
        pid = os.fork()
        if pid == 0:
            texts = [streamed(model, f"child {n} asks {m} [words 9]").content for m in range(10)]
            os.write(writing, json.dumps([n, texts]).encode() + b"\n")
            os._exit(0)
        children.append(pid)
    answers = [streamed(model, f"parent asks {m} [words 9]").content for m in range(10)]
    os.close(writing)
    for pid in children:
        os.waitpid(pid, 0)
    assert all(f"answer to parent asks {m} " in str(text) for m, text in enumerate(answers))
    with open(reading, "rb") as reports:
        lines = [json.loads(line) for line in reports]
    assert len(lines) == 4
    for n, texts in lines:
        assert all(f"answer to child {n} asks {m} " in text for m, text in enumerate(texts))


def test_a_call_with_options_goes_to_the_stock_client(build: Build, provider: Provider) -> None:
    list(build().bind(extra_headers={"X-Tenant": "t"}, extra_body={"top_k": 3}).stream("hello"))
    request = provider.requests()[-1]
    assert (headers_of(request)["x-tenant"], request["body"]["top_k"]) == ("t", 3)


def test_openai_s_client_sends_over_a_proxy(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert not build(openai_base_url="http://models.example/v1").client.is_direct
    monkeypatch.setenv("no_proxy", "models.example")
    assert build(openai_base_url="http://models.example/v1").client.is_direct
