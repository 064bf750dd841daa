"""Requests to the provider carry the id of their run, and the id of the provider's server is kept."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_openai import ChatOpenAI

from tests.integration.worker.provider.test_completions import Build, Provider, build, headers_of, provider
from tests.support.raw_provider import STREAM, WHOLE, Ask, error_of, events, sends
from worker.provider.request_ids import CLIENT_HEADER, ProviderRequest, read_server_id

__all__ = ["build", "provider"]  # fixtures


async def call_in_coroutine(model: ChatOpenAI) -> None:
    await model.ainvoke("hello")
    client: Any = model.root_async_client._client
    await client._clients[asyncio.get_running_loop()].aclose()


CALLS: dict[str, Callable[[ChatOpenAI], Any]] = {
    "streamed": lambda model: list(model.stream("hello")),
    "whole": lambda model: model.invoke("hello"),
    "with options": lambda model: list(model.stream("hello", extra_headers={"X-Other": "1"})),
    "in a coroutine": lambda model: asyncio.run(call_in_coroutine(model)),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_each_request_carries_the_id_of_its_run(
    build: Build, provider: Provider, call: Callable[[ChatOpenAI], Any]
) -> None:
    with ProviderRequest("turn_1-2").sending():
        call(build())
    call(build())
    inside, outside = map(headers_of, provider.requests()[-2:])
    assert inside[CLIENT_HEADER.lower()] == "turn_1-2"
    assert CLIENT_HEADER.lower() not in outside


@pytest.mark.parametrize("name", ["x-request-id", "Request-Id"])
def test_the_id_of_the_server_is_kept(ask: Ask, name: str) -> None:
    request = ProviderRequest("turn_1-1")
    with request.sending():
        ask(sends(events(*WHOLE), header=f"{STREAM}\r\n{name}: req_011CS"))
    assert request.server_id == "req_011CS"


def test_an_error_has_an_id_too(ask: Ask) -> None:
    request = ProviderRequest("turn_1-1")

    def refuse(connection: Any) -> None:
        connection.sendall(b"HTTP/1.1 500 Error\r\nx-request-id: req_2\r\nContent-Length: 2\r\n\r\n{}")

    with request.sending():
        error_of(ask, refuse)
    assert request.server_id == "req_2"


@pytest.mark.parametrize("value", [b"", b"a b", b"<script>", b"x" * 129])
def test_an_implausible_id_is_ignored(value: bytes) -> None:
    request = ProviderRequest("turn_1-1")
    with request.sending():
        read_server_id([(b"x-request-id", value), (b"other", b"1")])
    assert request.server_id is None
