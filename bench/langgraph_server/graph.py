"""The chain of the plain Celery baseline as a graph; asynchronous, because the server refuses blocking nodes."""

import os

from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, MessagesState, StateGraph

prompt = ChatPromptTemplate.from_messages(
    [
        ("system", "You're an assistant who's good at {ability}. Respond in 20 words or fewer"),
        MessagesPlaceholder("messages"),
    ]
)
chain = prompt | ChatOpenAI(
    model="gpt-4o-mini",
    api_key="none",
    base_url=os.environ["OPENAI_BASE_URL"],
    streaming=True,
)


async def answer(state: MessagesState) -> dict[str, object]:
    return {"messages": [await chain.ainvoke({"ability": "math", "messages": state["messages"]})]}


graph = StateGraph(MessagesState).add_node("answer", answer).add_edge(START, "answer").add_edge("answer", END).compile()
