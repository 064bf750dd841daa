"""Runs `bench.direct` and reads what it says."""

import os
import subprocess
import sys

from bench.stacks import Ours


def cpu_ms(kind: str, stack: Ours, said: str, *, turns: int, in_flight: int, is_streamed: bool = True) -> float:
    """Of one turn of the chain alone, asked of this stack's model, with its store where the stock history is kept."""
    arguments = [kind, stack.model_url, str(turns), str(in_flight), str(int(is_streamed)), said]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.direct", *arguments],
        env={**os.environ, **stack.environment},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return float(done.stdout)
