"""The thin client against OpenAI's own: the same request, the same message, the same error for each failure."""

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

from tests.acceptance.assistants.test_providers import FAILURES
from tests.support.processes import Process, call
from tests.support.server import free_port
from tests.support.waiting import wait_until
from turns.config.settings import Settings
from turns.domain.assistant import DEFAULT
from turns.domain.errors import ModelError
from turns.domain.turn import Claim
from worker.langchain.chain import Run, build_chain
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
    variables={"ability": "math"},
    model="m",
    waited_ms=0,
    superseded=False,
    messages=(),
    traceparent=None,
)
# What an HTTP library says of itself, and OpenAI's client of its own doings.
OF_THE_TRANSPORT = {"accept-encoding", "connection", "content-length", "host"}
OF_THE_STOCK_CLIENT = {"x-stainless-read-timeout", "x-stainless-retry-count", "x-stainless-raw-response"}


class Provider:
    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._process = Process("tests.support.scripted_model", str(self.port), log=directory / "log", environment={})
        wait_until("the provider answers", self._answers)

    def asked(self) -> list[dict[str, Any]]:
        requests: list[dict[str, Any]] = call(f"http://127.0.0.1:{self.port}/requests").body
        return requests

    def stop(self) -> None:
        self._process.kill()

    def _answers(self) -> bool:
        try:
            return self.asked() == []
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
        return model  # type: ignore[return-value]  # as these settings say

    yield build
    for model in built:
        model.root_client.close()
        if isinstance(model.client, Completions):
            model.client.close()


def streamed(model: ChatOpenAI, said: str) -> BaseMessageChunk:
    first, *more = model.stream(said)
    whole: BaseMessageChunk = first + more
    return whole


def as_data(message: Any) -> dict[str, Any]:
    return {**message.model_dump(exclude={"id"}), "response_metadata": message.response_metadata}


def headers_of(asked: dict[str, Any]) -> dict[str, str]:
    headers = {name.lower(): value for name, value in asked["headers"].items()}
    return {name: value for name, value in headers.items() if name not in OF_THE_TRANSPORT | OF_THE_STOCK_CLIENT}


def without_none(value: Any) -> Any:
    """OpenAI's client adds what the provider left out, as None."""
    if isinstance(value, dict):
        return {name: without_none(item) for name, item in value.items() if item is not None}
    return value


def end_of(model: ChatOpenAI, said: str) -> ModelError:
    """What a turn of it ends with."""
    run = Run(build_chain(DEFAULT, model), replace(CLAIM, input=said))
    with pytest.raises(ModelError) as caught:
        finish(run)
    return caught.value


def finish(run: Run) -> None:
    deque(run.pieces(), maxlen=0)
    run.answer()


def test_the_request_is_the_same(build: Build, provider: Provider) -> None:
    for stock in (True, False):
        list(build(stock_client=stock).stream(MESSAGES))
        build(stock_client=stock).invoke(MESSAGES, stop=["x"])
    stock_stream, stock_invoke, stream, invoke = provider.asked()[-4:]
    for one, other in ((stock_stream, stream), (stock_invoke, invoke)):
        assert one["body"] == other["body"]
        assert headers_of(one) == headers_of(other)


@pytest.mark.parametrize(
    "said", ["hello", "hello [words 200]", "hello [finish length]", "hello [pace 0.01]", "hello [last one]", "🙂 é"]
)
def test_the_streamed_message_is_the_same(build: Build, said: str) -> None:
    stock, thin = (as_data(streamed(build(stock_client=stock), said)) for stock in (True, False))
    assert stock == thin
    assert thin["usage_metadata"]["total_tokens"] > 0
    assert thin["response_metadata"]["finish_reason"] in {"stop", "length"}


def test_the_whole_message_is_the_same(build: Build) -> None:
    stock, thin = (build(stock_client=stock).invoke("hello") for stock in (True, False))
    assert (stock.content, stock.usage_metadata) == (thin.content, thin.usage_metadata)
    assert without_none(stock.response_metadata) == without_none(thin.response_metadata)


@pytest.mark.parametrize("does", [*(does for does, _, _ in FAILURES), "[fail 429] [retry-after 7]", "[fail 418]"])
def test_each_failure_means_the_same(build: Build, does: str) -> None:
    stock, thin = (end_of(build(stock_client=stock), does) for stock in (True, False))
    assert isinstance(stock, ModelError)
    assert (thin.code, thin.kind, thin.retry_after_seconds) == (stock.code, stock.kind, stock.retry_after_seconds)
    if isinstance(stock.__cause__, openai.APIError):
        assert (type(thin.__cause__), str(thin.__cause__)) == (type(stock.__cause__), str(stock.__cause__))


@pytest.mark.parametrize("does", ["[fail 401]", "[fail 429]", "[fail 500]"])
def test_each_failure_of_a_whole_answer_means_the_same(build: Build, does: str) -> None:
    errors = []
    for stock in (True, False):
        with pytest.raises(Exception) as caught:  # noqa: PT011  # which one is what is compared
            build(stock_client=stock).invoke(does)
        errors.append((type(caught.value), str(caught.value)))
    assert errors[0] == errors[1]


def test_a_provider_that_is_not_there_and_one_that_is_silent(build: Build) -> None:
    for said, settings in (
        ("hello", {"openai_base_url": f"http://127.0.0.1:{free_port()}/v1"}),
        ("hello [delay 1]", {"first_token_seconds": 0.1, "idle_seconds": 0.1}),
        ("hello [words 9] [pace 1]", {"first_token_seconds": 0.1, "idle_seconds": 0.1}),
    ):
        stock, thin = (end_of(build(stock_client=stock, **settings), said) for stock in (True, False))
        assert (thin.code, type(thin.__cause__)) == (stock.code, type(stock.__cause__))


def test_answers_that_are_read_come_over_one_connection(build: Build, provider: Provider) -> None:
    model = build()
    for n in range(10):
        streamed(model, f"hello {n} [words 20]")
        model.invoke(f"hello {n}")
    assert len({asked["port"] for asked in provider.asked()[-20:]}) == 1


@pytest.mark.parametrize("last", ["", "[last one]"])
def test_an_answer_that_is_left_is_left_at_once_and_never_read_by_another(
    build: Build, provider: Provider, last: str
) -> None:
    model = build()
    streamed(model, "before")
    left = model.stream(f"left [words 100] [pace 0.05] {last}")
    next(left)
    left.close()  # type: ignore[attr-defined]  # a generator
    wait_until("the provider has noticed", lambda: provider.asked()[-1]["closed"], seconds=2)
    assert streamed(model, "after").content.startswith("answer to after")  # type: ignore[union-attr]  # it is text
    before, gone, after = provider.asked()[-3:]
    assert before["port"] == gone["port"] != after["port"]


def test_a_connection_that_the_provider_closed_is_not_used(build: Build, tmp_path: Path) -> None:
    provider = Provider(tmp_path)
    model = build(openai_base_url=provider.url)
    streamed(model, "hello")
    provider.stop()
    again = Process("tests.support.scripted_model", str(provider.port), log=tmp_path / "log", environment={})
    wait_until("it is back", provider._answers)
    assert streamed(model, "hello again").content
    again.kill()


def test_a_forked_process_does_not_use_the_connections_of_its_parent(build: Build) -> None:
    """Each would get answers of the other."""
    model = build()
    streamed(model, "warm")
    reading, writing = os.pipe()
    children = []
    for n in range(4):
        pid = os.fork()
        if pid == 0:
            said = [streamed(model, f"child {n} says {m} [words 9]").content for m in range(10)]
            os.write(writing, json.dumps([n, said]).encode() + b"\n")
            os._exit(0)
        children.append(pid)
    said = [streamed(model, f"parent says {m} [words 9]").content for m in range(10)]
    os.close(writing)
    for pid in children:
        os.waitpid(pid, 0)
    assert all(f"answer to parent says {m} " in str(text) for m, text in enumerate(said))
    with open(reading, "rb") as reports:
        lines = [json.loads(line) for line in reports]
    assert len(lines) == 4
    for n, texts in lines:
        assert all(f"answer to child {n} says {m} " in text for m, text in enumerate(texts))


def test_what_the_thin_client_does_not_know_goes_to_the_stock_one(build: Build, provider: Provider) -> None:
    list(build().bind(extra_headers={"X-Tenant": "t"}, extra_body={"top_k": 3}).stream("hello"))
    asked = provider.asked()[-1]
    assert (headers_of(asked)["x-tenant"], asked["body"]["top_k"]) == ("t", 3)


def test_a_proxy_of_the_environment_is_heeded(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert not isinstance(build(openai_base_url="http://models.example/v1").client, Completions)
    monkeypatch.setenv("no_proxy", "models.example")
    assert isinstance(build(openai_base_url="http://models.example/v1").client, Completions)
