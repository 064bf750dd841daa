"""The steps behind the methods of both clients."""

import json
from collections.abc import Generator
from typing import Any

import pytest

from inturn.errors import InvalidRequest, ServiceBroken
from inturn.protocol.requests import Response
from inturn.protocol.resources import MAX_IMPORT_BYTES, SessionSteps, TurnSteps, UserSteps
from inturn.protocol.retry import RequestRetryPolicy
from inturn.protocol.steps import Emit, OpenStream, ReadLine, Send, TransportFailure
from inturn.values import Json, TurnBody

NO_RETRIES = RequestRetryPolicy(max_retries=0, random=lambda: 0.0, clock=lambda: 0.0)
TURNS: TurnSteps[Any] = TurnSteps(lambda body: body["id"], NO_RETRIES)
SESSIONS: SessionSteps[Any] = SessionSteps(lambda body: body["id"], NO_RETRIES)
INVALID_KEYS = ["k\n", "k\0", " k", "é", "\udcff", "k" * 256]


def sent(steps: Generator[Any, Any, Any]) -> Any:
    """Return the first request of the steps."""
    effect = next(steps)
    assert isinstance(effect, Send)
    return effect.request


def body(text: str) -> TurnBody:
    return {"session_id": "s", "input": text}


def test_a_large_batch_is_sent_in_chunks_with_derived_keys() -> None:
    steps = TURNS.batch((body(str(n)) for n in range(130)), "key")
    sizes, keys, response = [], [], None
    while True:
        try:
            request = steps.send(response).request  # type: ignore[union-attr]  # without retries every effect is a request
        except StopIteration as end:
            results = end.value
            break
        turns: list[Json] = json.loads(request.body or b"")["turns"]
        sizes.append(len(turns))
        keys.append(request.headers["Idempotency-Key"])
        outcomes = [{"turn": {"id": turn["input"]}} for turn in turns]
        response = Response(status=200, headers={}, body=json.dumps({"data": outcomes}).encode())
    assert (sizes, keys) == ([100, 30], ["key-0", "key-1"])
    assert results == [str(n) for n in range(130)]


def test_without_a_key_each_call_gets_a_new_one() -> None:
    keys = [sent(TURNS.create(body("hello"), None)).headers["Idempotency-Key"] for _ in range(2)]
    assert keys[0] != keys[1]


@pytest.mark.parametrize("key", INVALID_KEYS)
def test_an_invalid_idempotency_key_is_rejected(key: str) -> None:
    for steps in (
        lambda: TURNS.create(body("hello"), key),
        lambda: TURNS.batch([body("hello")], key),
        lambda: TURNS.retry("turn_1", key),
    ):
        with pytest.raises(InvalidRequest, match=r"^Idempotency-Key: must be 1 to 255 printable ASCII"):
            next(steps())


def test_an_import_that_is_too_large_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match=f"messages: must be at most {MAX_IMPORT_BYTES} bytes"):
        SESSIONS.import_messages("s", [{"role": "user", "content": "x" * MAX_IMPORT_BYTES}], None)


def test_an_export_is_read_line_by_line() -> None:
    steps = UserSteps(NO_RETRIES).export("alice")
    assert isinstance(next(steps), OpenStream)
    assert isinstance(steps.send(Response(status=200, headers={})), ReadLine)
    assert steps.send('{"object": "session"}') == Emit({"object": "session"})
    assert isinstance(steps.send(None), ReadLine)
    with pytest.raises(StopIteration):
        steps.send('{"object": "end", "sessions": 1}')


@pytest.mark.parametrize("line", [TransportFailure("The stream has ended."), "<html>"])
def test_an_export_that_breaks_off_is_an_error(line: str | TransportFailure) -> None:
    steps = UserSteps(NO_RETRIES).export("alice")
    next(steps)
    steps.send(Response(status=200, headers={}))
    with pytest.raises(ServiceBroken):
        steps.send(line)
