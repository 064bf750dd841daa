"""A custom chain with tools of an MCP server, which run on the event loop of the chain worker.

Needs `langchain` and `langchain-mcp-adapters`. The server here, stock_server.py, is started for each call of a tool. A
server that stays has an address instead: `{"transport": "http", "url": "https://stock.example/mcp"}`.
"""

import asyncio
import sys
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable
from langchain_mcp_adapters.client import MultiServerMCPClient
from langchain_mcp_adapters.sessions import StdioConnection

SERVER = Path(__file__).with_name("stock_server.py")
STOCK = StdioConnection(transport="stdio", command=sys.executable, args=[str(SERVER)])


def build(model: BaseChatModel) -> Runnable[Any, Any]:
    tools = asyncio.run(MultiServerMCPClient({"stock": STOCK}).get_tools())
    return create_agent(model, tools, system_prompt="You know what is in stock.")
