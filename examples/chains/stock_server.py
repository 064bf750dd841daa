"""An MCP server with one tool, for mcp_tools.py. It speaks over standard input and output."""

from mcp.server.fastmcp import FastMCP

STOCK = {"tea": 12, "coffee": 0}
server = FastMCP("stock", log_level="WARNING")


@server.tool()
def count_stock(product: str) -> int:
    """Return the number of packets of a product that are in stock."""
    return STOCK.get(product, 0)


if __name__ == "__main__":
    server.run()
