"""A loop that calls tools, as a chain of one's own.

It yields each message as it comes: so callers read the answer while it is written, and with `history = "full"` the next
turn knows what the tools said. Cancel and time limits hold within it.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableLambda
from langchain_core.tools import tool

MOST_ROUNDS = 5  # a model that only ever calls tools comes to an end too
SYSTEM = SystemMessage("You tell people the time. Look at the clock first.")


@tool
def clock() -> str:
    """The time now, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def build(model: BaseChatModel) -> Runnable[dict[str, Any], Any]:
    with_tools = model.bind_tools([clock])

    def answer(given: dict[str, Any]) -> Iterator[BaseMessage]:
        messages: list[BaseMessage] = [SYSTEM, *given["history"], HumanMessage(given["input"])]
        for _ in range(MOST_ROUNDS):
            said: list[AIMessageChunk] = []
            for chunk in with_tools.stream(messages):
                said.append(chunk)  # type: ignore[arg-type]  # of an AI message, says the model
                yield chunk
            calls = joined(said).tool_calls
            if not calls:
                return
            results = [clock.invoke(call) for call in calls]
            yield from results
            messages += [joined(said), *results]
        raise RuntimeError(f"no answer after {MOST_ROUNDS} rounds of tool calls")

    return RunnableLambda(answer)


def joined(chunks: list[AIMessageChunk]) -> AIMessage:
    first, *more = chunks
    return first + more if more else first
