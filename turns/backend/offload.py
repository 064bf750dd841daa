"""Run blocking work without blocking other greenlets; the entry points decide how."""

from collections.abc import Callable
from typing import TypeAlias

Offload: TypeAlias = Callable[[Callable[[], object]], object]  # runs a function and returns its result


def run_inline(work: Callable[[], object]) -> object:
    return work()
