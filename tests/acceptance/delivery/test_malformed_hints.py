"""Messages that another program writes to the queue of hints stop no worker."""

import json
from collections.abc import Callable
from typing import Any

from tests.support.processes import Stack
from tests.support.waiting import wait_until

QUEUE = "inturn:hints"
DEEP = "[" * 100_000 + "]" * 100_000


OTHERS: tuple[Any, ...] = (None, 7, [], {}, "x")


def malformed(hint: str) -> list[bytes]:
    """Return messages in which one part of this hint is missing or has another type."""
    whole: dict[str, Any] = json.loads(hint)
    parts = [{name: part for name, part in whole.items() if name != missing} for missing in whole]
    parts += [{**whole, name: other} for name in whole for other in OTHERS]
    for group in ("headers", "properties"):
        parts += [{**whole, group: {**whole[group], name: other}} for name in whole[group] for other in OTHERS]
    texts = [b"", b"x", b"\xff\xfe", b"null", b"7", b'"x"', b"[]", b"{}", DEEP.encode(), hint.encode()[:-1]]
    return [*texts, *(json.dumps(part).encode() for part in parts)]


def test_malformed_hints_stop_no_worker(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_CONCURRENCY="20")
    raw = stack.store.raw
    running = stack.submit("s", "hello [gate go]")
    stack.wait_until_running(running)
    hint = raw.hget("inturn:service", "hint").decode()
    for message in malformed(hint):
        raw.lpush(QUEUE, message)
    wait_until("all are read", lambda: raw.llen(QUEUE) == 0, seconds=60)

    stack.open_gate("go")
    turns = [stack.submit(f"s{n}", "hello") for n in range(3)]
    assert [stack.wait_until_finished(turn)["attempt"] for turn in [running, *turns]] == [1] * 4
    [worker] = stack.workers
    assert worker.is_running
