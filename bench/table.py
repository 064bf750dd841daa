"""The measurements by name, in the order of the table; and the growth curves."""

from typing import Protocol

from bench.figures import Measured
from bench.rows import accept, crowd, growth, history, latency, scaling, start, store, streams, turns


class Measure(Protocol):
    def __call__(self, *, quick: bool) -> Measured: ...


ROWS: dict[str, Measure] = {
    "turns": turns.measure,
    "streams": streams.measure,
    "latency": latency.measure,
    "crowd": crowd.measure,
    "history": history.measure,
    "accept": accept.measure,
    "store": store.measure,
    "scaling": scaling.measure,
    "start": start.measure,
    "growth": growth.measure,
}
