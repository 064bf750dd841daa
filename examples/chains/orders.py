"""A custom chain that knows whose turn it runs, calls asynchronous code and returns an object.

Callers find the list of orders in `output.data` and the sentence in `output.content`.
"""

import asyncio
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from pydantic import BaseModel

ORDERS: Mapping[str, Sequence[str]] = MappingProxyType({"ada": ("tea", "scones"), "grace": ("coffee",)})


class Orders(BaseModel):
    """The answer, and the orders for a program that shows them in a table."""

    answer: str
    orders: list[str]


async def find_orders(user_id: str | None) -> list[str]:
    """Return the orders of a user, as a query to a shop would."""
    await asyncio.sleep(0)
    return list(ORDERS.get(user_id or "", ()))


def build() -> Runnable[dict[str, Any], Orders]:
    async def answer(_: dict[str, Any], config: RunnableConfig) -> Orders:
        orders = await find_orders(config["configurable"]["user_id"])  # never from the text of the question
        return Orders(answer=f"You have ordered: {', '.join(orders) or 'nothing'}.", orders=orders)

    return RunnableLambda(answer)
