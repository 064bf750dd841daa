"""A custom chain that is a LangGraph graph: it writes a draft, and shortens it if it is long.

Needs `langgraph`. The tag `nostream` keeps the draft out of the answer.
"""

from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import Runnable
from langgraph.graph import END, START, MessagesState, StateGraph

MAX_WORDS = 50


class State(MessagesState):
    """The conversation, and the draft of the answer."""

    draft: str


def build(model: BaseChatModel) -> Runnable[Any, Any]:
    def write(state: State) -> dict[str, Any]:
        reply = model.with_config(tags=["nostream"]).invoke(state["messages"])
        return {"draft": reply.text}

    def shorten(state: State) -> dict[str, Any]:
        task = HumanMessage(f"Shorten this to {MAX_WORDS} words:\n{state['draft']}")
        return {"messages": [model.invoke([task])]}

    def keep(state: State) -> dict[str, Any]:
        return {"messages": [AIMessage(state["draft"])]}

    graph = StateGraph(State)
    graph.add_node(write)
    graph.add_node(shorten)
    graph.add_node(keep)
    graph.add_edge(START, "write")
    graph.add_conditional_edges("write", lambda state: "shorten" if is_long(state) else "keep")
    graph.add_edge("shorten", END)
    graph.add_edge("keep", END)
    return graph.compile()  # without a checkpointer: the service keeps the history


def is_long(state: State) -> bool:
    return len(state["draft"].split()) > MAX_WORDS
