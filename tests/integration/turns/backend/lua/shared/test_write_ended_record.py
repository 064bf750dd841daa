"""The record of an ended turn is packed, and every reader still gets all of it."""

import json
import random
import string
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from tests.integration.conftest import answer_to
from tests.support.server import Server
from turns.backend import keys
from turns.backend.client import Client
from turns.backend.record import read_turn_records, to_turn_record
from turns.domain.error_codes import Code
from turns.domain.run.claim import Claim
from turns.domain.run.spending import Usage
from turns.domain.state import Status
from turns.domain.turn import Turn
from turns.domain.turn_request import TurnRequest
from turns.operations.timeline import read_timeline
from turns.store.turns import TurnStore

Accept = Callable[..., Turn]
ClaimTurn = Callable[[Turn], Claim]
LONG = "A long answer,\nin two lines. " * 20
NOISE = "".join(random.Random(1).choices(string.ascii_letters, k=6000))  # which hardly gets shorter
USAGE = Usage(input_tokens=1, output_tokens=2, total_tokens=3, reasoning_tokens=1)
MESSAGE = "Who are you?\nReally?"


def record_of(server: Server, turn_id: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = server.raw.hgetall(keys.TURN(turn_id))
    return found


@pytest.fixture
def complete(claim: ClaimTurn, store: TurnStore) -> Callable[..., Turn]:
    def complete(turn: Turn, output: str = LONG, **more: Any) -> Turn:
        claimed = claim(turn)
        answer = replace(answer_to(claimed), output=output, usage=USAGE, **more)
        store.commit(claimed, answer, tail="", provider_request_id="req_1")
        return store.get_turn(turn.id)

    return complete


def test_a_finished_turn_has_all_that_it_had(accept: Accept, complete: Callable[..., Turn]) -> None:
    live = accept(MESSAGE, metadata={"a": "b\nc"}, request_id="r", key_id="k")
    done = complete(live, data='{"a":"' + "x" * 300 + '"}')
    assert (done.status, done.output, done.model, done.usage) == (Status.COMPLETED, LONG, "m", USAGE)
    assert done.data == {"a": "x" * 300}
    assert replace(done, **{name: getattr(live, name) for name in CHANGED}) == live


CHANGED = (
    *("status", "claims", "model", "output", "data", "usage", "waiting", "started_at", "finished_at", "expires_at"),
    "message_numbers",
)


@pytest.mark.parametrize("output", ["", "yes", "one\ntwo", "x" * 64, "x" * 65, "漢" * 90, LONG, NOISE[:2000], NOISE])
def test_an_answer_of_any_length_is_read(accept: Accept, complete: Callable[..., Turn], output: str) -> None:
    done = complete(accept(MESSAGE), output)
    assert (done.input, done.output) == (MESSAGE, output)


@pytest.mark.parametrize("output", ["", "x" * 64, LONG, NOISE[:2000]])
def test_the_record_of_a_finished_turn_is_one_block(
    accept: Accept, complete: Callable[..., Turn], server: Server, output: str
) -> None:
    done = complete(accept("x" * 64, request_id="r" * 64, traceparent="t" * 55, key_id="k"), output)
    record = record_of(server, done.id)
    assert (max(map(len, record.values())) <= 64, len(record) <= 128) == (True, True)


@pytest.mark.parametrize("more", [{"metadata": {"a": "b" * 60}}, {"request_id": "é"}, {"request_id": "r" * 500}])
def test_a_long_record_is_not_stored_in_pieces(
    accept: Accept, complete: Callable[..., Turn], server: Server, store: TurnStore, more: dict[str, Any]
) -> None:
    live = accept(MESSAGE, **more)
    done = complete(live)
    assert set(record_of(server, done.id)) - {b"metadata"} == {b"session", b"status", b"messages", b"packed", b"texts"}
    assert (done.input, done.output, done.metadata) == (MESSAGE, LONG, live.metadata)


def test_the_ids_of_a_session_come_from_its_name(accept: Accept, complete: Callable[..., Turn]) -> None:
    for number, user_id in enumerate(["al/ice", "-", "é", None]):
        done = complete(accept(session_id=f"a/b {number}".replace(" ", "-"), user_id=user_id))
        assert (done.session_id, done.user_id) == (f"a/b-{number}", user_id)


def test_lists_read_packed_fields(
    accept: Accept, complete: Callable[..., Turn], client: Client, store: TurnStore
) -> None:
    done, live = complete(accept(session_id="a")), accept(session_id="b")
    records = read_turn_records(client, [done.id, live.id], ["session", "attempt", "finished_at"])
    assert records == [
        {"session": "a", "attempt": "1", "finished_at": str(done.finished_at)},
        {"session": "b", "attempt": "1"},
    ]
    assert [turn.output for turn in store.list_turns(limit=9).turns] == [None, LONG]


def test_the_runs_of_a_failed_turn_are_kept(accept: Accept, claim: ClaimTurn, store: TurnStore, client: Client) -> None:
    claimed = claim(accept())
    store.fail(claimed, Code.PROVIDER_ERROR, provider_status=500, provider_request_id="req_2")
    failed = store.get_turn(claimed.turn_id)
    assert (failed.error_code, failed.provider_status) == (Code.PROVIDER_ERROR, 500)
    [run] = read_timeline(client, claimed.turn_id).runs
    assert (run.worker, run.model) == ("w", "m")


def test_a_record_of_an_earlier_release_serves_all_readers(
    accept: Accept, complete: Callable[..., Turn], client: Client, store: TurnStore, server: Server
) -> None:
    done = complete(accept(MESSAGE, idempotency_key="key-1"))
    unpack(server, done.id)
    assert store.get_turn(done.id) == done
    assert store.list_turns(limit=9).turns == (done,)
    assert read_timeline(client, done.id).turn.output == LONG
    [record] = read_turn_records(client, [done.id], ["status", "model"])
    assert record == {"status": "completed", "model": "m"}
    again = store.accept(TurnRequest(session_id="s", input=MESSAGE, idempotency_key="key-1"))
    assert (again.replayed, again.turn.output) == (True, LONG)


def unpack(server: Server, turn_id: str) -> None:
    """Store the record of an ended turn as releases before packed records have stored it."""
    name = keys.TURN(turn_id)
    record = to_turn_record(record_of(server, turn_id))
    record["usage"] = json.dumps(asdict(USAGE))
    server.raw.delete(name)
    server.raw.hset(name, mapping=record)
    server.raw.pexpire(name, 60_000)
