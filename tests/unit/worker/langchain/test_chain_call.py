"""How a custom chain is called: synchronous or on the loop, with which configuration, and what its result means."""

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableGenerator, RunnableLambda, RunnableParallel
from langchain_core.tools import StructuredTool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import interrupt
from pydantic import BaseModel

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant
from worker.langchain.chain_call import ChainRefused, CustomChain, build_custom_chain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_parts import needs_loop
from worker.langchain.custom_chain import CustomChainRun
from worker.provider.models import OfflineModel

LOOP = ChainLoop(max_threads=4)
CUSTOM = Assistant(name="a", chain="x:y")


class State(MessagesState):
    result: str


def run(chain: Runnable[Any, Any], loop: ChainLoop | None = LOOP, **claim: Any) -> tuple[str, Any]:
    """Return the text of the chain's answer and its data."""
    attempt = CustomChainRun(lambda: CustomChain(chain), make_claim(assistant=CUSTOM, **claim), loop=loop)
    streamed = "".join(attempt.deltas())
    answer = attempt.answer()
    assert answer.output == streamed
    return streamed, json.loads(answer.data or "null")


class Lookup(TypedDict, total=False):
    input: str
    answer: str
    pages: list[int]


def graph(node: Any, **options: Any) -> Any:
    built = StateGraph(State)
    built.add_node("node", node)
    built.add_edge(START, "node")
    return built.compile(**options)


async def greet(_: Any) -> str:
    return "hi"


async def words(given: AsyncIterator[Any]) -> AsyncIterator[str]:
    async for _ in given:
        yield "hi"


class AsyncOnly(Runnable[Any, str]):
    def invoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> str:  # noqa: A002  # its name
        raise NotImplementedError

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **_: Any) -> str:  # noqa: A002
        return "hi"


async def answer_node(_: State) -> dict[str, Any]:
    return {"messages": [AIMessage("hi")]}


ASYNCHRONOUS: list[Runnable[Any, Any]] = [
    RunnableLambda(greet),
    RunnableLambda(lambda _: "x") | RunnableLambda(greet),
    RunnableGenerator(words),
    AsyncOnly(),
    graph(answer_node),
    RunnableLambda(lambda given: given) | graph(answer_node),
]


@pytest.mark.parametrize("chain", ASYNCHRONOUS, ids=range(len(ASYNCHRONOUS)))
def test_an_asynchronous_chain_runs_on_the_loop(chain: Runnable[Any, Any]) -> None:
    assert run(chain)[0] == "hi"


def test_an_asynchronous_chain_in_the_gevent_loop_is_an_error() -> None:
    with pytest.raises(TypeError, match='remove runs_in = "loop"'):
        run(RunnableLambda(greet), None)


def test_an_asynchronous_tool_needs_the_loop() -> None:
    tool = StructuredTool.from_function(coroutine=greet, name="greet", description="Greet")
    assert needs_loop(graph(ToolNode([tool])))
    both = StructuredTool.from_function(lambda x: x, coroutine=greet, name="greet", description="Greet")
    assert not needs_loop(graph(ToolNode([both])))


def test_the_error_of_a_step_is_not_taken_for_a_missing_method() -> None:
    def calls_model(given: dict[str, Any]) -> str:
        calls.append(model.invoke(given["input"]))
        raise NotImplementedError("a feature")

    calls, model = list[Any](), OfflineModel()
    with pytest.raises(NotImplementedError):
        run(RunnableLambda(calls_model))
    assert len(calls) == 1


def test_the_configuration_overrides_a_fixed_thread() -> None:
    chain: Runnable[Any, str] = RunnableLambda(lambda _, config: config["configurable"]["thread_id"])
    fixed = chain.with_config({"configurable": {"thread_id": "1"}})
    assert run(fixed, session="-/ada/s")[0] == "-/ada/s"


class Out(BaseModel):
    n: int


@dataclass
class Point:
    x: int


@pytest.mark.parametrize(
    ("result", "text", "data"),
    [
        ({"a": 1}, '{"a":1}', {"a": 1}),
        ({"answer": "yes", "context": ["c"]}, "yes", {"answer": "yes", "context": ["c"]}),
        ({"output": "done", "n": float("nan")}, "done", {"output": "done", "n": None}),
        (Out(n=1), '{"n":1}', {"n": 1}),
        (Point(2), '{"x":2}', {"x": 2}),
        (["x", 1], '["x",1]', ["x", 1]),
        ("plain", "plain", None),
    ],
)
def test_an_object_has_a_text_and_data(result: object, text: str, data: object) -> None:
    assert run(RunnableLambda(lambda _: result)) == (text, data)


def test_the_last_version_of_a_growing_object_counts() -> None:
    def versions(given: Iterator[Any]) -> Iterator[Any]:
        yield from ({"a": 1}, {"a": 1, "b": 2})

    assert run(RunnableGenerator(versions))[1] == {"a": 1, "b": 2}


def test_parallel_steps_are_put_together_and_their_answer_streams() -> None:
    chain: Runnable[Any, Any] = RunnableParallel(
        answer=RunnableLambda(lambda _: "yes"), b=RunnableLambda(lambda _: "no")
    )
    assert run(chain) == ("yes", {"answer": "yes", "b": "no"})


def test_an_object_without_a_json_form_is_an_error() -> None:
    with pytest.raises(TypeError, match="has no JSON form"):
        run(RunnableLambda(lambda _: {"x": object()}))


def test_a_graph_without_messages_returns_what_it_added() -> None:
    built = StateGraph(Lookup)
    built.add_node("node", lambda state: {"answer": f"found {state['input']}", "pages": [3]})
    built.add_edge(START, "node")
    assert run(built.compile(), input="tea") == ("found tea", {"answer": "found tea", "pages": [3]})


def test_a_graph_behind_a_step_is_read_like_a_graph() -> None:
    asked = graph(lambda _: {"messages": [AIMessage("hi")], "structured_response": None})
    assert run(RunnableLambda(lambda given: given) | asked)[0] == "hi"
    assert run(asked.with_retry())[0] == "hi"
    assert run(asked | RunnableLambda(lambda state: state["messages"][-1].content.upper()))[0] == "HI"


def refusal_of(chain: Runnable[Any, Any]) -> str:
    """Return why a chain is refused before its first turn; "" if it is not."""
    try:
        build_custom_chain(lambda: chain, OfflineModel())
    except ChainRefused as refusal:
        return str(refusal)
    return ""


KEEPING = graph(answer_node, checkpointer=InMemorySaver())


def ask_keeping(question: str) -> str:
    """Ask a graph that keeps its state."""
    return str(KEEPING.invoke({"messages": [question]}))


@pytest.mark.parametrize(
    "chain",
    [
        KEEPING,
        RunnableLambda(lambda given: given) | KEEPING.with_retry(),
        RunnableLambda(KEEPING.invoke),
        RunnableLambda(lambda given: KEEPING.invoke({"messages": given["history"]})),
        RunnableParallel(a=KEEPING),
        graph(KEEPING),
        graph(lambda state: {"result": ask_keeping(state["result"])}) | RunnableLambda(ask_keeping),
        graph(ToolNode([StructuredTool.from_function(ask_keeping)])),
    ],
    ids=range(8),
)
def test_a_graph_that_keeps_its_state_is_refused(chain: Runnable[Any, Any]) -> None:
    assert "the graph has a checkpointer; compile it without one" in refusal_of(chain)


FIXED: RunnableConfig = {"configurable": {"thread_id": "1"}}


@pytest.mark.parametrize(
    "chain",
    [
        graph(answer_node).with_config(FIXED),
        RunnableLambda(greet).with_config(FIXED),
        RunnableLambda(greet) | RunnableLambda(greet).with_config(FIXED).with_retry(),
    ],
    ids=range(3),
)
def test_a_fixed_thread_is_refused(chain: Runnable[Any, Any]) -> None:
    assert "a part of the chain has a fixed thread_id" in refusal_of(chain)


def test_a_graph_that_stops_for_a_person_is_refused() -> None:
    assert "interrupt_before or interrupt_after" in refusal_of(graph(answer_node, interrupt_before=["node"]))
    with pytest.raises(TypeError, match=r"the graph called interrupt\(\)"):
        run(graph(lambda _: {"result": interrupt("sure?")}))


def test_other_chains_are_not_refused() -> None:
    for chain in (*ASYNCHRONOUS, graph(graph(answer_node, checkpointer=True)), graph(answer_node, checkpointer=False)):
        assert refusal_of(chain.with_config({"tags": ["x"], "configurable": {"session_id": "s"}})) == ""
