"""Measure the CPU of a chain without a queue, in a separate process that counts only itself.

    python -m bench.chain_only stock|inturn|http URL TURNS IN_FLIGHT TEXT

`stock` is the chain of the plain Celery baseline with its history in Redis. `inturn` is the product's chain for a claim
with twenty messages. `http` posts the same request and reads the response without parsing it, which is the lower bound
for any client. Prints the milliseconds of CPU per turn.
"""

import itertools
import json
import sys
import time
from collections import deque
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from redis import Redis

from bench import seed_history


def stock_turn(text: str) -> Callable[[], None]:
    from tests.chaos.baseline.thirty_lines import STORE, chain

    store: Any = Redis.from_url(STORE)
    history = seed_history.stored_messages()
    sessions = itertools.count()

    def turn() -> None:
        session = f"chain-only-{next(sessions)}"
        store.lpush(f"message_store:{session}", *history)
        values = {"ability": "math", "input": text}
        config: Any = {"configurable": {"session_id": session}}
        deque(chain.stream(values, config), maxlen=0)

    return turn


def inturn_turn(url: str, text: str) -> Callable[[], None]:
    from turns.config.settings import Settings
    from turns.domain.assistant import EXAMPLE
    from turns.domain.run.claim import Claim
    from worker.langchain.chain import ChainRun, build_chain
    from worker.provider.models import build_model

    chain = build_chain(EXAMPLE, build_model(Settings(openai_base_url=url)))
    record = {
        "claims": "1",
        "attempt": "1",
        "session": "s",
        "session_id": "s",
        "assistant": "example",
        "input": text,
        "model": "m",
    }
    record |= {"variables": '{"ability": "math"}', "started_at": "0", "accepted_at": "0"}
    claim = Claim.from_record("turn_1", "t", record, tuple(seed_history.stored_messages()), EXAMPLE.definition)

    def turn() -> None:
        run = ChainRun(chain, claim)
        deque(run.deltas(), maxlen=0)
        run.answer()

    return turn


def http_turn(url: str, text: str) -> Callable[[], None]:
    address = urlsplit(url)
    messages = [*seed_history.messages(), {"role": "user", "content": text}]
    body = json.dumps({"model": "m", "stream": True, "messages": messages})
    idle: list[HTTPConnection] = []

    def turn() -> None:
        connection = idle.pop() if idle else HTTPConnection(address.hostname or "", address.port)
        connection.request("POST", f"{address.path}/chat/completions", body)
        connection.getresponse().read()
        idle.append(connection)

    return turn


def main() -> None:
    from gevent import monkey

    monkey.patch_all()
    from gevent.pool import Pool

    kind, url, turns, in_flight, text = sys.argv[1:]
    turn = {
        "stock": lambda: stock_turn(text),
        "inturn": lambda: inturn_turn(url, text),
        "http": lambda: http_turn(url, text),
    }[kind]()
    pool = Pool(int(in_flight))
    for _ in range(max(10, int(in_flight))):  # opens connections and fills caches before the measurement
        pool.spawn(turn)
    pool.join(raise_error=True)
    started = time.process_time()
    for _ in range(int(turns)):
        pool.spawn(turn)
    pool.join(raise_error=True)
    sys.stdout.write(f"{(time.process_time() - started) * 1000 / int(turns)}\n")


if __name__ == "__main__":
    main()
