"""A custom chain that calls tools in a loop.

It yields each message as soon as it exists, so that clients can stream the answer and the next turn gets the tool
results too (with `history = "full"`). Cancellation and time limits also apply inside the loop.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool

MAX_ROUNDS = 5  # ends the run of a model that never stops calling tools
SYSTEM = SystemMessage("You answer questions about the time. Read the clock first.")


@tool
def clock() -> str:
    """Return the current time in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def build(model: BaseChatModel) -> Runnable[dict[str, Any], Any]:
    with_tools = model.bind_tools([clock])

    def answer(values: dict[str, Any]) -> Iterator[BaseMessage]:
        messages: list[BaseMessage] = [SYSTEM, *values["history"], HumanMessage(values["input"])]
        for _ in range(MAX_ROUNDS):
            chunks: list[AIMessageChunk] = []
            for chunk in with_tools.stream(messages):
                chunks.append(chunk)  # type: ignore[arg-type]  # chat models yield AI messages only
                yield chunk
            reply = join(chunks)
            if not reply.tool_calls:
                return
            results = [clock.invoke(call) for call in reply.tool_calls]
            yield from results
            messages += [reply, *results]
        raise RuntimeError(f"no answer after {MAX_ROUNDS} rounds of tool calls")

    return RunnableLambda(answer)


def join(chunks: list[AIMessageChunk]) -> AIMessage:
    first, *more = chunks
    return first + more if more else first
