"""The cost of a turn of 100 words with a reader of its stream, compared with chains without a queue and raw HTTP."""

import os
import subprocess
import sys
from functools import partial

from bench.figures import Figure, Result, interleave, median
from bench.load import run_load, stream_turn
from bench.stacks import IN_FLIGHT, InTurnStack, running

TEXT = "What does cosine mean? [words 100] [pace 0.01]"


def measure(*, quick: bool) -> Result:
    rounds, turns = (1, 300) if quick else (3, 600)
    with running(InTurnStack) as stack:
        _streamed_turn_ms(stack, turns)
        chains = {kind: partial(_chain_only_ms, kind, stack, turns // 3) for kind in ("stock", "inturn", "http")}
        runs = interleave(rounds, {"queue": partial(_streamed_turn_ms, stack, turns), **chains})
    cost_ms = {name: median(values) for name, values in runs.items()}
    label = "CPU of a streamed turn of 100 words with its reader: web and worker"
    stock_label = "… the stock chain's `stream` only, without a queue or a reader"
    return Result(
        figures=[
            Figure(label=label, value=cost_ms["queue"], unit="ms", max_value=15),
            Figure(label=stock_label, value=cost_ms["stock"], unit="ms"),
            Figure(label="… as a share of that", value=cost_ms["queue"] / cost_ms["stock"], unit="", max_value=1 / 3),
            Figure(label="… InTurn's chain only", value=cost_ms["inturn"], unit="ms"),
            Figure(label="… raw HTTP: the same bytes, not parsed", value=cost_ms["http"], unit="ms"),
        ]
    )


def _streamed_turn_ms(stack: InTurnStack, turns: int) -> float:
    return run_load(
        stack.url,
        stream_turn,
        text=TEXT,
        turns=turns,
        in_flight=IN_FLIGHT,
        cpu_seconds=lambda: stack.web_seconds() + stack.worker_seconds(),  # the target does not include the store
        seed_session=stack.seed_session,
    ).cpu_ms_per_turn


def _chain_only_ms(kind: str, stack: InTurnStack, turns: int) -> float:
    """Run `bench.chain_only` against the model and the store of the stack; return its CPU per turn."""
    arguments = [kind, stack.model_url, str(turns), str(IN_FLIGHT), TEXT]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "bench.chain_only", *arguments],
        env={**os.environ, **stack.environment},
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return float(done.stdout)
