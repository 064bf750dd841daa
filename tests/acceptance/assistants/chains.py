"""Chains of one's own, as users might write them; the worker of `test_own_chains.py` imports them."""

import asyncio
import datetime
import json
from collections.abc import Iterator
from typing import Annotated, Any, TypedDict

import gevent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.output_parsers import JsonOutputParser
from langchain_core.runnables import Runnable, RunnableGenerator, RunnableLambda
from langchain_core.tools import tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode, tools_condition

ChainOutput = dict[str, Any]


def tell() -> Runnable[ChainOutput, str]:
    """Says what it was given: as JSON, without a model."""

    def said(given: ChainOutput) -> str:
        history = [[message.type, message.content] for message in given.pop("history")]
        return json.dumps({**given, "history": history}, sort_keys=True)

    return RunnableLambda(said)


def slow() -> Runnable[ChainOutput, str]:
    """Says many words, one after the other, and sleeps between them."""
    import time  # noqa: PLC0415  # as the worker has patched it

    def words(given: Iterator[ChainOutput]) -> Iterator[str]:
        for _ in given:
            for n in range(1000):
                yield f"word{n} "
                time.sleep(0.05)

    return RunnableGenerator(words)


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
    """Its own time limit, which is no `Exception`."""

    def waits(_: ChainOutput) -> str:
        with gevent.Timeout(0.05):
            gevent.sleep(5)
        return "never"

    return RunnableLambda(waits)


def dated() -> Runnable[ChainOutput, Any]:
    """A tool call that no history can hold."""
    call = {"name": "book", "args": {"on": datetime.date(2026, 1, 1)}, "id": "1", "type": "tool_call"}
    said = [AIMessage("let me see", tool_calls=[call]), ToolMessage("done", tool_call_id="1"), AIMessage("booked")]
    return RunnableLambda(lambda _: said)


def number() -> Runnable[ChainOutput, int]:
    return RunnableLambda(lambda _: 42)


def silent() -> Runnable[ChainOutput, str]:
    return RunnableLambda(lambda _: "")


def no_runnable() -> str:
    return "no runnable"


def parsed(model: BaseChatModel) -> Runnable[ChainOutput, Any]:
    """A parser behind the model fails on half an answer."""
    return RunnableLambda(lambda given: given["input"]) | model | JsonOutputParser() | RunnableLambda(str)


def illegal() -> Runnable[ChainOutput, Any]:
    """A tool call whose result is missing."""
    call = {"name": "x", "args": {}, "id": "1", "type": "tool_call"}
    return RunnableLambda(lambda _: [AIMessage("let me see", tool_calls=[call]), AIMessage("never mind")])


@tool
def clock() -> str:
    """The time now."""
    return "ten past ten"


def graph(model: BaseChatModel) -> Runnable[Any, Any]:
    """A model that calls tools, as a compiled graph."""

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
    """A graph without a model, whose state has a declared variable."""

    def node(state: State) -> ChainOutput:
        return {"messages": [AIMessage(f"{state['topic']}: {len(state['messages'])} messages")]}

    built = StateGraph(State)
    built.add_node("node", node)
    built.add_edge(START, "node")
    return built.compile()
