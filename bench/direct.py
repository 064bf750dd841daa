"""The chain alone, without a queue, in a process of its own that counts its own CPU.

    python -m bench.direct stock|lean|raw URL TURNS IN_FLIGHT STREAM SAID

`stock` is the chain of the thirty lines with its history in Redis; `lean` is ours, given twenty messages as a claim
gives them; `raw` posts as much and reads the answer, and is what no client can be cheaper than. Prints milliseconds of
CPU for each turn.
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

from bench import past


def stock(said: str, *, is_streamed: bool) -> Callable[[], None]:
    from tests.chaos.baseline.thirty_lines import STORE, chain

    store: Any = Redis.from_url(STORE)
    history = past.stored()
    sessions = itertools.count()

    def turn() -> None:
        session = f"direct-{next(sessions)}"
        store.lpush(f"message_store:{session}", *history)
        given = {"ability": "math", "input": said}
        config: Any = {"configurable": {"session_id": session}}
        if is_streamed:
            deque(chain.stream(given, config), maxlen=0)
        else:
            chain.invoke(given, config)

    return turn


def lean(url: str, said: str) -> Callable[[], None]:
    from turns.config.settings import Settings
    from turns.domain.assistant import DEFAULT
    from turns.domain.turn import Claim
    from worker.langchain.chain import Run, build_chain
    from worker.provider.models import build_model

    chain = build_chain(DEFAULT, build_model(Settings(openai_base_url=url)))
    record = {"claims": "1", "attempt": "1", "session": "s", "assistant": "default", "input": said, "model": "m"}
    record |= {"variables": '{"ability": "math"}', "started_at": "0", "accepted_at": "0"}
    claim = Claim.from_record("turn_1", "t", record, tuple(past.stored()), DEFAULT.definition)

    def turn() -> None:
        run = Run(chain, claim)
        deque(run.pieces(), maxlen=0)
        run.answer()

    return turn


def raw(url: str, said: str) -> Callable[[], None]:
    address = urlsplit(url)
    messages = [*past.given(), {"role": "user", "content": said}]
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

    kind, url, turns, in_flight, is_streamed, said = sys.argv[1:]
    turn = {
        "stock": lambda: stock(said, is_streamed=is_streamed == "1"),
        "lean": lambda: lean(url, said),
        "raw": lambda: raw(url, said),
    }[kind]()
    pool = Pool(int(in_flight))
    for _ in range(max(10, int(in_flight))):  # warm: connections, caches
        pool.spawn(turn)
    pool.join(raise_error=True)
    cpu = time.process_time()
    for _ in range(int(turns)):
        pool.spawn(turn)
    pool.join(raise_error=True)
    sys.stdout.write(f"{(time.process_time() - cpu) * 1000 / int(turns)}\n")


if __name__ == "__main__":
    main()
