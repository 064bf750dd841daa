"""The text of a graph that ends a chain streams; the result of one inside a chain reaches the next step whole."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage
from langchain_core.runnables import (
    Runnable,
    RunnableBranch,
    RunnableConfig,
    RunnableGenerator,
    RunnableLambda,
    RunnableParallel,
    RunnablePassthrough,
)
from langgraph.config import get_stream_writer
from langgraph.graph import START, MessagesState, StateGraph

from tests.unit.worker.run.stand_ins import make_claim
from turns.domain.assistant import Assistant
from turns.domain.events import EventType, OutputEvent
from worker.langchain.chain_call import CustomChain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.custom_chain import CustomChainRun
from worker.provider.models import OfflineModel

LOOP = ChainLoop(max_threads=4)
MODEL = OfflineModel()
AGENT: Any = create_agent(MODEL, [])
ANSWER = "I am the built-in offline model and only repeat. You said: “hello”. It is your first turn."


def pieces(chain: Runnable[Any, Any]) -> list[str]:
    """Return the texts that a turn with the chain streams."""
    claim = make_claim(assistant=Assistant(name="a", chain="x:y"))
    run = CustomChainRun(lambda: CustomChain(chain), claim, loop=LOOP)
    streamed = [text for text in run.deltas() if text]
    assert run.answer().output == "".join(streamed)
    return streamed


def graph(node: Callable[..., Any]) -> Any:
    builder = StateGraph(MessagesState)
    builder.add_node("node", node)
    builder.add_edge(START, "node")
    return builder.compile()


async def ask_model(state: MessagesState) -> dict[str, Any]:
    return {"messages": [await MODEL.ainvoke(state["messages"])]}


class Flaky:
    """A node that fails at its first calls."""

    def __init__(self, failures: int) -> None:
        self._failures = failures

    def __call__(self, state: MessagesState) -> dict[str, Any]:
        self._failures -= 1
        if self._failures >= 0:
            raise ValueError("not yet")
        return {"messages": [MODEL.invoke(state["messages"])]}


def last_text(state: dict[str, Any]) -> str:
    return str(state["messages"][-1].text)


async def give_agent(_: Any) -> Any:
    return AGENT


def give_agent_with_config(_: Any, config: RunnableConfig) -> Any:
    return AGENT if config["configurable"]["session_id"] is not None else MODEL


def flaky(failures: int) -> Any:
    node = Flaky(failures)
    return graph(lambda state: node(state))  # noqa: PLW0108  # LangGraph reads the name of a function


PREPARE: Runnable[Any, Any] = RunnableLambda(lambda given: {"messages": given["messages"]})


@pytest.mark.parametrize(
    "chain",
    [
        AGENT,
        AGENT.with_config({"tags": ["x"]}),
        PREPARE | AGENT,
        RunnablePassthrough() | (PREPARE | AGENT.with_config({"tags": ["x"]})),
        PREPARE | graph(ask_model),
        AGENT.with_retry(),
        flaky(2).with_retry(stop_after_attempt=3),
        PREPARE | flaky(1).with_fallbacks([AGENT]),
        flaky(1).with_fallbacks([graph(ask_model)]),
        RunnableBranch((lambda given: given["input"] == "x", MODEL), PREPARE | AGENT),
        RunnableLambda(lambda _: AGENT),
        RunnablePassthrough() | RunnableLambda(lambda _: PREPARE | AGENT),
        RunnableLambda(give_agent),
        RunnableLambda(give_agent_with_config),
    ],
    ids=range(14),
)
def test_a_graph_at_the_end_of_a_chain_streams(chain: Runnable[Any, Any]) -> None:
    streamed = pieces(chain)
    assert (len(streamed) > 10, "".join(streamed)) == (True, ANSWER)


@pytest.mark.parametrize(
    "chain",
    [
        AGENT | RunnableLambda(lambda state: state["messages"][:1]) | MODEL,
        PREPARE
        | {"input": AGENT | RunnableLambda(lambda _: "hello")}
        | RunnableLambda(lambda given: given["input"])
        | MODEL,
    ],
    ids=range(2),
)
def test_the_model_after_a_graph_streams(chain: Runnable[Any, Any]) -> None:
    streamed = pieces(chain)
    assert (len(streamed) > 10, "".join(streamed)) == (True, ANSWER)


def words(states: Iterator[Any]) -> Iterator[str]:
    for state in states:
        yield from (f"{word} " for word in last_text(state).split()[:3])


async def words_async(states: AsyncIterator[Any]) -> AsyncIterator[str]:
    async for state in states:
        for word in words(iter([state])):
            yield word


def test_the_step_after_a_graph_receives_its_whole_state() -> None:
    assert pieces(AGENT | RunnableLambda(lambda state: last_text(state).upper())) == [ANSWER.upper()]
    assert pieces(PREPARE | AGENT | RunnableGenerator(words)) == ["I ", "am ", "the "]
    assert pieces(PREPARE | AGENT | RunnableGenerator(words_async)) == ["I ", "am ", "the "]
    assert pieces(RunnableParallel(answer=AGENT | RunnableLambda(last_text), n=lambda _: 1)) == [ANSWER]


def test_a_function_that_calls_a_graph_answers_at_once() -> None:
    assert pieces(RunnableLambda(lambda given: AGENT.invoke(given))) == [ANSWER]  # noqa: PLW0108  # as users write it
    assert pieces(RunnableLambda(lambda given: last_text(AGENT.invoke(given)))) == [ANSWER]


def test_a_graph_that_gets_other_messages_answers() -> None:
    """The messages after the last one that the graph received are its answer."""
    prepare: Runnable[Any, Any] = RunnableLambda(
        lambda given: {"messages": [("human", given["input"]), ("human", "more")]}
    )
    echo = graph(lambda state: {"messages": [AIMessage(f"{len(state['messages'])} messages")]})
    assert pieces(prepare | echo) == ["2 messages"]


def test_what_a_retry_has_streamed_stays() -> None:
    """After its first text an attempt is not repeated, because callers have read it."""

    def fails_late(state: MessagesState) -> dict[str, Any]:
        MODEL.invoke(state["messages"])
        raise ValueError("too late")

    with pytest.raises(ValueError, match="too late"):
        pieces(graph(fails_late).with_retry(stop_after_attempt=3))


def test_a_graph_sends_data_with_its_stream_writer() -> None:
    def work(_: MessagesState) -> dict[str, Any]:
        get_stream_writer()({"percent": 50})
        return {"messages": [AIMessage("Done.")]}

    run = CustomChainRun(lambda: CustomChain(graph(work)), make_claim(assistant=Assistant(name="a", chain="x:y")))
    sent: list[Any] = []
    run.on_event = sent.append
    assert "".join(run.deltas()) == "Done."
    assert sent == [OutputEvent(EventType.DATA, '{"name":null,"data":{"percent":50}}')]
