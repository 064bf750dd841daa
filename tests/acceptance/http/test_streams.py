"""Streams of events, with two web processes and two workers."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from itertools import islice

import pytest

from tests.support.processes import Stack, call
from tests.support.sse import Stream, StreamReader
from tests.support.waiting import wait_until

SEED = 20261125
SLOWLY = "[words 60] [pace 0.03]"


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_WEB_PROCESSES": "2"}


def watch(stack: Stack, turn_id: str) -> StreamReader:
    return StreamReader(f"{stack.url}/v1/turns/{turn_id}/events")


def test_a_stream_has_the_deltas_and_then_the_turn(stack: Stack) -> None:
    turn_id = stack.submit("s", f"hello {SLOWLY}")
    reader = watch(stack, turn_id)
    reader.read()
    turn = stack.turn(turn_id)
    assert reader.text == turn["output"]["content"]
    assert reader.done == turn
    types = [event.type for event in reader.seen]
    assert types[0] == "status"
    assert types.count("delta") > 5
    assert types[-1] == "done"
    assert all(event.data["turn_id"] == turn_id and event.data["attempt"] == 1 for event in reader.seen)
    ids = [event.id for event in reader.seen if event.id]
    assert len(set(ids)) == len(ids)


def test_ten_reconnections_assemble_the_exact_text(stack: Stack) -> None:
    turn_id = stack.submit("reloads", f"hello {SLOWLY}")
    chance = random.Random(SEED)
    reader = watch(stack, turn_id)
    for _ in range(10):
        reader.read(max_events=chance.randint(1, 6))
    reader.read_until_done()
    assert reader.text == stack.turn(turn_id)["output"]["content"]
    ids = [event.id for event in reader.seen if event.id]
    assert len(set(ids)) == len(ids), "nothing is repeated"


def test_two_readers_get_the_same_events(stack: Stack) -> None:
    turn_id = stack.submit("two", f"hello {SLOWLY}")
    readers = [watch(stack, turn_id) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(StreamReader.read, readers))
    one, other = ([event for event in reader.seen if event.id] for reader in readers)
    assert one == other


def test_the_stream_of_an_ended_turn_is_replayed(stack: Stack) -> None:
    turn_id = stack.submit("ended", "hello")
    turn = stack.wait_until_finished(turn_id)
    reader = watch(stack, turn_id)
    reader.read()
    assert (reader.text, reader.done) == (turn["output"]["content"], turn)
    again = Stream(f"{stack.url}/v1/turns/{turn_id}/events", last_event_id=reader.last_event_id)
    assert again.status == 204
    again.close()


def test_an_ended_turn_without_kept_events_is_still_sent(stack: Stack) -> None:
    turn_id = stack.submit("old", "hello [gate never]")
    stack.wait_until_running(turn_id)
    turn = call(f"{stack.url}/v1/turns/{turn_id}/cancel", method="POST").body
    assert stack.store.raw.delete(f"inturn:events:{turn_id}") == 1
    reader = watch(stack, turn_id)
    reader.read()
    assert reader.done == turn


def test_disconnecting_does_not_cancel(stack: Stack) -> None:
    turn_id = stack.submit("left", f"hello {SLOWLY}")
    watch(stack, turn_id).read(max_events=3)
    assert stack.wait_until_finished(turn_id)["status"] == "completed"


def test_a_waiting_turn_streams_its_positions(stack: Stack) -> None:
    turns = [stack.submit("queue", f"{n} [gate queue-{n}]") for n in range(3)]
    reader = watch(stack, turns[2])
    reading = threading.Thread(target=reader.read)
    reading.start()
    for n, position in enumerate([(3, "turn"), (2, "turn"), None]):
        wait_until(f"the stream has {position}", partial(_has_position, reader, position))
        stack.open_gate(f"queue-{n}")
    reading.join()
    assert _queue_positions(reader)[:2] == [(3, "turn"), (2, "turn")]


def _has_position(reader: StreamReader, position: tuple[int, str] | None) -> bool:
    return _queue_positions(reader)[-1:] == [position]


def _queue_positions(reader: StreamReader) -> list[tuple[int, str] | None]:
    queues = [event.data["queue"] for event in list(reader.seen) if event.type == "status"]
    return [queue and (queue["position"], queue["waiting_for"]) for queue in queues]


def test_cancelling_ends_the_stream_with_the_cancelled_turn(stack: Stack) -> None:
    turn_id = stack.submit("cancelled", "hello [gate never]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read)
    reading.start()
    wait_until("it runs", lambda: any(event.data.get("status") == "in_progress" for event in reader.seen))
    call(f"{stack.url}/v1/turns/{turn_id}/cancel", method="POST")
    reading.join()
    assert reader.done is not None
    assert reader.done["status"] == "cancelled"


def test_deleting_the_session_ends_the_stream(stack: Stack) -> None:
    turn_id = stack.submit("deleted", "to delete [words 400] [pace 0.05]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read)
    reading.start()
    wait_until("it runs", lambda: any(event.data.get("status") == "in_progress" for event in reader.seen))
    assert call(f"{stack.url}/v1/sessions/deleted", method="DELETE").status == 204
    reading.join()
    assert reader.seen[-1].type == "done"
    assert call(f"{stack.url}/v1/turns/{turn_id}").status == 404
    wait_until("the model is left", lambda: model_was_left(stack, "to delete"))
    assert call(f"{stack.url}/v1/sessions/deleted").status == 404, "nothing comes back"


@pytest.mark.parametrize(
    ("path", "headers", "status", "code"),
    [
        ("turn_" + "f" * 32, {}, 404, "turn_not_found"),
        ("turn_" + "0" * 32, {}, 410, "turn_expired"),
        ("nonsense", {}, 404, "turn_not_found"),
        ("turn_" + "f" * 32, {"Last-Event-ID": "garbage"}, 400, "invalid_request"),
        ("turn_" + "f" * 32, {"Accept": "application/json"}, 406, "not_acceptable"),
    ],
)
def test_an_invalid_stream_request_is_refused(
    stack: Stack, path: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = call(f"{stack.url}/v1/turns/{path}/events", headers=headers)
    assert (answer.status, answer.body["code"]) == (status, code)


@pytest.mark.parametrize("beyond", ["2-0", "9999999999-9999999999"])
def test_a_reader_beyond_the_last_event_gets_a_reset(stack: Stack, beyond: str) -> None:
    """As after a failure in which the store lost its last events."""
    turn_id = stack.submit("beyond", f"hello [hold {beyond}]")
    stack.wait_until_running(turn_id)
    with closing(Stream(f"{stack.url}/v1/turns/{turn_id}/events", last_event_id=beyond)) as stream:
        events = iter(stream)
        seen = list(islice(events, 2))
        stack.open_gate(beyond)
        seen += events
    assert [event.type for event in seen[:2]] == ["status", "reset"]
    assert seen[-1].type == "done"
    text = "".join(event.data["text"] for event in seen if event.type == "delta")
    assert text == stack.turn(turn_id)["output"]["content"]


def test_after_a_worker_is_killed_the_text_starts_again(start: Callable[..., Stack]) -> None:
    stack = start(workers=2, INTURN_WEB_PROCESSES="2", INTURN_LEASE_SECONDS="3")
    turn_id = stack.submit("s", "hello [hold go]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read)
    reading.start()
    wait_until("some text is there", lambda: reader.text)
    stack.worker_of(turn_id).kill()
    stack.open_gate("go")
    reading.join()
    [reset] = [event for event in reader.seen if event.type == "reset"]
    assert (reset.data["reason"], reset.data["attempt"]) == ("rescue", 1)
    assert reader.text == stack.turn(turn_id)["output"]["content"]


def test_another_web_process_continues_the_stream(start: Callable[..., Stack]) -> None:
    stack = start(workers=2, INTURN_WEB_PROCESSES="2")
    turn_id = stack.submit("s", "hello [hold go]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read_until_done)
    reading.start()
    wait_until("some text is there", lambda: reader.text)
    stack.web.kill()
    stack.open_gate("go")
    stack.web = stack.start_web()
    reading.join()
    assert reader.text == stack.turn(turn_id)["output"]["content"]
    ids = [event.id for event in reader.seen if event.id]
    assert len(set(ids)) == len(ids)


def test_a_restart_of_the_store_interrupts_no_reader(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [hold go]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read_until_done)
    reading.start()
    wait_until("some text is there", lambda: reader.text)
    stack.store.kill()
    stack.store.start()
    stack.open_gate("go")
    reading.join()
    assert reader.text == stack.turn(turn_id)["output"]["content"]


def test_a_stopping_web_process_ends_its_streams_at_once(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [gate go]")
    reader = watch(stack, turn_id)
    reading = threading.Thread(target=reader.read)
    reading.start()
    wait_until("it runs", lambda: any(event.data.get("status") == "in_progress" for event in reader.seen))
    assert stack.web.stop() == 0
    reading.join()
    assert reader.done is None
    stack.web = stack.start_web()
    stack.open_gate("go")
    reader.read_until_done()
    assert reader.text == stack.turn(turn_id)["output"]["content"]


def test_beyond_the_limit_of_streams_a_long_poll_still_works(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_MAX_STREAMS="1")
    turn_id = stack.submit("s", "hello [gate go]")
    first = Stream(f"{stack.url}/v1/turns/{turn_id}/events")
    events = iter(first)
    next(events)
    refused = call(f"{stack.url}/v1/turns/{turn_id}/events")
    assert (refused.status, refused.body["code"]) == (503, "streams_full")
    assert refused.headers["Retry-After"]
    stack.open_gate("go")
    assert stack.turn(turn_id, wait=20)["status"] == "completed"
    assert [event.type for event in events][-1] == "done"
    first.close()
    wait_until("the stream has ended", lambda: call_status(f"{stack.url}/v1/turns/{turn_id}/events") == 200)


def model_was_left(stack: Stack, text: str) -> bool:
    return any(request["closed"] for request in stack.model_requests() if text in request["messages"][-1]["content"])


def call_status(url: str) -> int:
    stream = Stream(url)
    stream.close()
    return stream.status
