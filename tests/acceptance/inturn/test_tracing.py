"""The worker continues the trace of the calling program, with both clients."""

import asyncio
from collections.abc import Callable

import pytest
from opentelemetry.trace import NonRecordingSpan, SpanContext, use_span

from inturn import AsyncClient, Client
from tests.acceptance.inturn.conftest import MATH
from tests.support.processes import Stack
from tests.support.waiting import wait_until


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_LOG_FORMAT": "json"}


def create(stack: Stack) -> str:
    with Client(stack.url) as client:
        return client.turns.create("s", "hello", variables=MATH).id


def create_async(stack: Stack) -> str:
    async def main() -> str:
        async with AsyncClient(stack.url) as client:
            return (await client.turns.create("s", "hello", variables=MATH)).id

    return asyncio.run(main())


@pytest.mark.parametrize("make", [create, create_async])
def test_a_turn_belongs_to_the_trace_of_its_caller(stack: Stack, make: Callable[[Stack], str]) -> None:
    trace = f"{id(make):032x}"
    with use_span(NonRecordingSpan(SpanContext(int(trace, 16), span_id=7, is_remote=False))):
        turn_id = make(stack)
    wait_until(
        "the worker's log contains both ids",
        lambda: any(trace in line and turn_id in line for line in stack.logs().splitlines()),
    )
