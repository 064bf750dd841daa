"""A custom chain that is LangChain's agent: it calls tools until it can answer.

Needs `langchain`. The text of its model streams; with `history = "full"` the next turn sees the tool calls too.
"""

from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import tool

CANCELLED: dict[str, str] = {}  # stands for a shop that performs each idempotency key once


@tool
def cancel_order(order: str, config: RunnableConfig) -> str:
    """Cancel an order of this customer."""
    turn = config["configurable"]
    # A turn may run again from its start, and its turn id stays the same.
    CANCELLED.setdefault(f"{turn['turn_id']}-{order}", f"{order} of {turn['user_id']}")
    return f"Order {order} is cancelled."


def build(model: BaseChatModel) -> Runnable[Any, Any]:
    return create_agent(model, [cancel_order], system_prompt="You help customers of a shop.")
