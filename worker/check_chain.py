"""`python -m worker.check_chain package.module:factory`: run a custom chain with the offline model, and describe it."""

import argparse
import asyncio
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from turns.config.environment import settings_or_exit
from turns.config.settings import Settings
from turns.domain.assistant import Assistant
from turns.domain.errors import ModelError
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from worker.langchain.chain_call import ChainRefused, CustomChain, build_custom_chain
from worker.langchain.chain_loop import ChainLoop
from worker.langchain.chain_parts import is_graph
from worker.langchain.custom_chain import CustomChainRun
from worker.langchain.factories import ChainNotFound, find_factory
from worker.provider.models import build_model

TICK_SECONDS = 0.01
SHORTENED = 200  # characters of an answer
MAX_THREADS = 20


def main() -> int:
    """Check the chain that the command line names; return 1 if a turn of it would fail."""
    parser = argparse.ArgumentParser(prog="python -m worker.check_chain", description=__doc__)
    parser.add_argument("chain", help="package.module:factory")
    parser.add_argument("--input", default="hello", help="the question")
    parser.add_argument("--var", action="append", default=[], metavar="NAME=VALUE", help="a variable; repeatable")
    parser.add_argument("--ask-model", action="store_true", help="use the model of the settings, which costs tokens")
    options = parser.parse_args()
    if wrong := [variable for variable in options.var if "=" not in variable]:
        parser.error(f"--var {wrong[0]}: must be NAME=VALUE")
    sys.path.insert(0, "")  # as for `python -m worker`
    settings = settings_or_exit() if options.ask_model else Settings(openai_api_key="", openai_base_url="")
    variables = dict(variable.split("=", 1) for variable in options.var)
    try:
        for line in check(options.chain, options.input, settings, variables):
            print(line, flush=True)  # noqa: T201  # a command-line tool
    except (ChainNotFound, ChainRefused, ModelError) as error:
        print(f"failed     {error}", file=sys.stderr)  # noqa: T201
        return 1
    except Exception:
        traceback.print_exc()
        hint = "" if variables else "; if it needs variables, pass each as --var NAME=VALUE"
        print(f"failed     the chain raised the error above{hint}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


def check(name: str, question: str, settings: Settings, variables: Mapping[str, str]) -> Iterator[str]:
    """Yield what is found out about the chain. Raise what a turn of it would raise."""
    assistant, loop = Assistant(name="checked", chain=name), ChainLoop(max_threads=MAX_THREADS)
    claims = [claim(assistant, question, number, variables) for number in (1, 2, 3)]
    chain = build_custom_chain(find_factory(name), build_model(settings, assistant))
    yield f"built      {describe_kind(chain)}, without a checkpointer"
    watch = LoopWatch(loop)
    began = time.monotonic()
    answer, pieces = run_turn(chain, claims[0], loop)
    seconds = time.monotonic() - began
    yield f"runs       {'on the event loop of its worker' if chain.is_async else 'in a thread'}, {seconds:.2f} s"
    if chain.is_async:
        yield f"blocks     the event loop for {watch.stop():.2f} s at most"
    yield f"streams    {pieces} pieces" if pieces > 1 else "streams    no: the text comes at once"
    yield f"answers    {answer.output[:SHORTENED]}"
    yield f"data       {answer.data[:SHORTENED]}" if answer.data else "data       none"
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: run_turn(chain, one, loop), claims[1:]))
    yield "overlaps   two turns at once have ended"


def describe_kind(chain: CustomChain) -> str:
    if is_graph(chain.runnable):
        return "a LangGraph graph"
    return "a chain with a graph" if chain.contains_graph else "a chain"


def run_turn(chain: CustomChain, of: Claim, loop: ChainLoop) -> tuple[Answer, int]:
    """Return the answer of one turn, and the number of pieces in which it was streamed."""
    run = CustomChainRun(lambda: chain, of, loop=loop)
    pieces = sum(bool(text) for text in run.deltas())
    return run.answer(), pieces


def claim(assistant: Assistant, question: str, number: int, variables: Mapping[str, str]) -> Claim:
    """Return a claim as a worker would get it for the first turn of a session."""
    return Claim(
        turn_id=f"turn_{number}",
        token="",
        number=1,
        attempt=1,
        session=f"-/-/check-{number}",
        assistant=assistant,
        input=question,
        variables=variables,
        model="offline",
        waited_ms=0,
        superseded=False,
        traceparent=None,
        messages=(),
        session_id=f"check-{number}",
    )


class LoopWatch:
    """Measures how long the event loop stands still."""

    def __init__(self, loop: ChainLoop) -> None:
        self._is_stopped = False
        self._longest_seconds = 0.0
        self._thread = threading.Thread(target=lambda: list(loop.iterate(self._ticks, lambda _: None)), daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return the longest time in seconds."""
        self._is_stopped = True
        self._thread.join()
        return self._longest_seconds

    async def _ticks(self) -> AsyncIterator[None]:
        while not self._is_stopped:
            began = time.monotonic()
            await asyncio.sleep(TICK_SECONDS)
            self._longest_seconds = max(self._longest_seconds, time.monotonic() - began - TICK_SECONDS)
            yield


if __name__ == "__main__":
    sys.exit(main())
