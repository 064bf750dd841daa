"""The measurements by name, in the order of the report."""

from typing import Protocol

from bench.figures import Result
from bench.rows import (
    accept,
    ceiling,
    crowd,
    growth,
    history,
    latency,
    memory,
    pools,
    primaries,
    scaling,
    start,
    store,
    streams,
    turns,
)


class Measure(Protocol):
    def __call__(self, *, quick: bool) -> Result: ...


ROWS: dict[str, Measure] = {
    "turns": turns.measure,
    "streams": streams.measure,
    "latency": latency.measure,
    "crowd": crowd.measure,
    "history": history.measure,
    "accept": accept.measure,
    "store": store.measure,
    "memory": memory.measure,
    "ceiling": ceiling.measure,
    "scaling": scaling.measure,
    "primaries": primaries.measure,
    "start": start.measure,
    "pools": pools.measure,
    "growth": growth.measure,
}
