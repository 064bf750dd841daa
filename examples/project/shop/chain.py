"""The chain: the model calls tools until it has an answer."""

from collections.abc import Iterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.tools import tool

from shop import orders

MAX_ROUNDS = 5  # ends the turn of a model that never stops calling tools
SYSTEM = SystemMessage("You help customers of a shop with their orders. Be short.")


@tool
def list_orders(config: RunnableConfig) -> str:
    """List the orders of the customer."""
    return "\n".join(orders.list_orders(_owner(config))) or "no orders"


@tool
def cancel_order(number: str, config: RunnableConfig) -> str:
    """Cancel an order of the customer."""
    # A turn may run again after a crash. Its id stays the same, so the shop recognizes the repetition.
    key = f"{config['configurable']['turn_id']}-{number}"
    return orders.cancel_order(number, owner=_owner(config), idempotency_key=key)


TOOLS = {each.name: each for each in (list_orders, cancel_order)}


def build(model: BaseChatModel) -> Runnable[dict[str, Any], Any]:
    """Return the chain; assistants.toml names this function."""
    with_tools = model.bind_tools(list(TOOLS.values()))

    def answer(values: dict[str, Any], config: RunnableConfig) -> Iterator[BaseMessage]:
        messages = [SYSTEM, *values["history"], HumanMessage(values["input"])]
        for _ in range(MAX_ROUNDS):
            reply = with_tools.invoke(messages)
            yield reply
            if not reply.tool_calls:
                return
            results = [TOOLS[call["name"]].invoke(call, config) for call in reply.tool_calls]
            yield from results
            messages += [reply, *results]
        raise RuntimeError(f"no answer after {MAX_ROUNDS} rounds of tool calls")

    return RunnableLambda(answer)


def _owner(config: RunnableConfig) -> str:
    """Return the user of the turn: never take it from the text, which the user writes."""
    return config["configurable"]["user_id"] or ""
