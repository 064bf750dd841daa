"""Custom chains as users might write them, for `test_custom_chains.py`."""

import asyncio
import datetime
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, TypedDict

import gevent
from langchain_core.callbacks import dispatch_custom_event
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition
from pydantic import BaseModel

ChainOutput = dict[str, Any]


def echo() -> Runnable[ChainOutput, str]:
    """Return its input as JSON, without a model."""

    def to_json(given: ChainOutput) -> str:
        history = [[message.type, message.content] for message in given.pop("history")]
        return json.dumps({**given, "history": history}, sort_keys=True)

    return RunnableLambda(to_json)


def slow() -> Runnable[ChainOutput, str]:
    """Yield many words, and sleep between them."""
    import time  # noqa: PLC0415  # after the worker has patched it

    def words(given: Iterator[ChainOutput]) -> Iterator[str]:
        for _ in given:
            for n in range(1000):
                yield f"word{n} "
                time.sleep(0.05)

    return RunnableGenerator(words)


def coroutine() -> Runnable[ChainOutput, str]:
    """Run an event loop in each call, as code for asyncio does that is called from a synchronous chain."""

    async def wait() -> str:
        await asyncio.sleep(0.2)
        return "waited"

    return RunnableLambda(lambda _: asyncio.run(wait()))


def async_words() -> Runnable[ChainOutput, str]:
    """Yield words from an asynchronous generator, which has no synchronous form."""

    async def words(given: AsyncIterator[ChainOutput]) -> AsyncIterator[str]:
        async for _ in given:
            for word in ("a ", "b "):
                await asyncio.sleep(0.05)
                yield word

    return RunnableGenerator(words)


def async_exit() -> Runnable[ChainOutput, str]:
    async def leaves(_: ChainOutput) -> str:
        await asyncio.create_task(asyncio.to_thread(sys.exit, 3))
        return "never"

    return RunnableLambda(leaves)


def model_in_loops(model: BaseChatModel) -> Runnable[ChainOutput, str]:
    """Call the model from synchronous code, and from two loops that end after the call."""

    def answers(given: ChainOutput) -> str:
        question = given["input"]
        messages = [model.invoke(question), *(asyncio.run(model.ainvoke(question)) for _ in range(2))]
        return " | ".join(str(message.content) for message in messages)

    return RunnableLambda(answers)


def identity() -> Runnable[ChainOutput, ChainOutput]:
    """Return what the configuration of the run says about the turn."""
    return RunnableLambda(lambda _, config: {**config["configurable"], "order": config["metadata"].get("order")})


class Order(BaseModel):
    answer: str
    items: list[str]


def order() -> Runnable[ChainOutput, Order]:
    return RunnableLambda(lambda _: Order(answer="Two teas.", items=["tea", "tea"]))


def computing() -> Runnable[ChainOutput, str]:
    """Compute for ever, without a call that a pool could interrupt."""

    def words(given: Iterator[ChainOutput]) -> Iterator[str]:
        yield "start"
        while True:
            pass

    return RunnableGenerator(words)


def blocked() -> Runnable[ChainOutput, str]:
    """Block the thread in C code, which nothing can interrupt."""

    def waits(_: ChainOutput) -> str:
        return subprocess.run(["sleep", "60"], check=True, text=True, stdout=subprocess.PIPE).stdout

    return RunnableLambda(waits)


def crash() -> Runnable[ChainOutput, str]:
    """End the process without an exception, as a fault in an extension does."""

    def crashes(_: ChainOutput) -> str:
        os.abort()

    return RunnableLambda(crashes)


def fail() -> Runnable[ChainOutput, str]:
    def fails(_: ChainOutput) -> str:
        raise ValueError("my secret mistake")

    return RunnableLambda(fails)


def leave() -> Runnable[ChainOutput, str]:
    def leaves(_: ChainOutput) -> str:
        raise SystemExit(3)

    return RunnableLambda(leaves)


def build_leaves() -> Runnable[ChainOutput, str]:
    raise SystemExit("no key")


def cancelled() -> Runnable[ChainOutput, str]:
    def cancels(_: ChainOutput) -> str:
        raise asyncio.CancelledError

    return RunnableLambda(cancels)


def timed() -> Runnable[ChainOutput, str]:
    """Exceed a time limit whose exception is not a subclass of `Exception`."""

    def waits(_: ChainOutput) -> str:
        with gevent.Timeout(0.05):
            gevent.sleep(5)
        return "never"

    return RunnableLambda(waits)


def dated() -> Runnable[ChainOutput, Any]:
    """Return a tool call that cannot be stored as JSON."""
    call = {"name": "book", "args": {"on": datetime.date(2026, 1, 1)}, "id": "1", "type": "tool_call"}
    messages = [AIMessage("let me see", tool_calls=[call]), ToolMessage("done", tool_call_id="1"), AIMessage("booked")]
    return RunnableLambda(lambda _: messages)


def number() -> Runnable[ChainOutput, int]:
    return RunnableLambda(lambda _: 42)


def silent() -> Runnable[ChainOutput, str]:
    return RunnableLambda(lambda _: "")


def no_runnable() -> str:
    return "no runnable"


def parsed(model: BaseChatModel) -> Runnable[ChainOutput, Any]:
    """Parse the answer, which fails if it is not complete."""
    return RunnableLambda(lambda given: given["input"]) | model | JsonOutputParser() | RunnableLambda(str)


def illegal() -> Runnable[ChainOutput, Any]:
    """Return a tool call without its result."""
    call = {"name": "x", "args": {}, "id": "1", "type": "tool_call"}
    return RunnableLambda(lambda _: [AIMessage("let me see", tool_calls=[call]), AIMessage("never mind")])


@tool("clock")
async def async_clock() -> str:
    """Return the time."""
    await asyncio.sleep(0.01)
    return "ten past ten"


def async_graph(model: BaseChatModel) -> Runnable[Any, Any]:
    """Return a graph whose nodes and tools are asynchronous only, like those of an MCP client."""

    async def agent(state: MessagesState) -> ChainOutput:
        return {"messages": [await model.bind_tools([async_clock]).ainvoke(state["messages"])]}

    built = StateGraph(MessagesState)
    built.add_node("agent", agent)
    built.add_node("tools", ToolNode([async_clock]))
    built.add_edge(START, "agent")
    built.add_conditional_edges("agent", tools_condition)
    built.add_edge("tools", "agent")
    return built.compile()


@tool
def clock() -> str:
    """Return the time."""
    return "ten past ten"


def graph(model: BaseChatModel) -> Runnable[Any, Any]:
    """Return a compiled graph with a model that calls tools."""

    def agent(state: MessagesState) -> ChainOutput:
        return {"messages": [model.bind_tools([clock]).invoke(state["messages"])]}

    built = StateGraph(MessagesState)
    built.add_node("agent", agent)
    built.add_node("tools", ToolNode([clock]))
    built.add_edge(START, "agent")
    built.add_conditional_edges("agent", tools_condition)
    built.add_edge("tools", "agent")
    return built.compile()


def append(left: list[AnyMessage], right: list[AnyMessage]) -> list[AnyMessage]:
    return left + right


class State(TypedDict):
    messages: Annotated[list[AnyMessage], append]
    topic: str


def still_graph() -> Runnable[Any, Any]:
    """Return a graph without a model, whose state has a declared variable."""

    def node(state: State) -> ChainOutput:
        return {"messages": [AIMessage(f"{state['topic']}: {len(state['messages'])} messages")]}

    built = StateGraph(State)
    built.add_node("node", node)
    built.add_edge(START, "node")
    return built.compile()


def progress() -> Runnable[ChainOutput, str]:
    """Tell how far it is, as an event beside the text."""

    def answer(_: ChainOutput) -> Iterator[str]:
        dispatch_custom_event("progress", {"percent": 0})
        yield "Half. "
        dispatch_custom_event("progress", {"percent": 50})
        yield "Done."

    return RunnableLambda(answer)
