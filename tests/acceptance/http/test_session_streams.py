"""The stream of a session with real processes: workers and web processes die, and tabs lose nothing."""

import http.client
import threading
from collections.abc import Callable
from contextlib import closing
from itertools import islice
from typing import Any

import pytest

from tests.support.processes import Stack, call
from tests.support.sse import SessionTab, Stream
from tests.support.waiting import wait_until

SLOWLY = "[words 40] [pace 0.03]"


class Tab(SessionTab):
    """A tab of a browser, which reads and reconnects in its own thread until a number of turns have ended."""

    def __init__(self, stack: Stack, *, ends: int) -> None:
        super().__init__()
        self._url = f"{stack.url}/v1/sessions/s/events"
        self._ends = ends
        self.snapshots = 0
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive(), f"it has {self.statuses}"

    def _run(self) -> None:
        while not self._is_complete:
            try:
                with closing(Stream(self._url, last_event_id=self.last_event_id)) as stream:
                    self._read(stream)
            except (OSError, http.client.HTTPException):
                continue

    def _read(self, stream: Stream) -> None:
        for event in stream:
            self.apply(event)
            self.snapshots += event.type == "snapshot"
            if self._is_complete:
                return

    @property
    def _is_complete(self) -> bool:
        return list(self.statuses.values()).count("completed") == self._ends


def test_tabs_lose_nothing_when_processes_are_killed(start: Callable[..., Stack]) -> None:
    stack = start(workers=2, INTURN_WEB_PROCESSES="2", INTURN_LEASE_SECONDS="3")
    turns = [stack.submit("s", "hello [hold go]")]
    stack.wait_until_running(turns[0])
    tabs = [Tab(stack, ends=4) for _ in range(5)]
    wait_until("all tabs are connected", lambda: all(tab.snapshots for tab in tabs))
    turns += [stack.submit("s", f"{n} {SLOWLY}") for n in range(3)]
    wait_until("some text is there", lambda: all(tab.texts[turns[0]] for tab in tabs))
    stack.worker_of(turns[0]).kill()
    stack.open_gate("go")
    wait_until("the second turn runs", lambda: all(tab.texts.get(turns[1]) for tab in tabs))
    stack.web.kill()
    stack.web = stack.start_web()
    for tab in tabs:
        tab.join()
        assert tab.texts == {turn: stack.turn(turn)["output"]["content"] for turn in turns}
        assert tab.snapshots == 1, "each connection continued where the one before it broke"


def test_a_server_reads_the_ends_of_its_turns_from_one_feed(stack: Stack) -> None:
    after = call(f"{stack.url}/v1/events?after=now").body["after"]
    waiting = {stack.submit(f"feed-{n}", "hello [gate feed]") for n in range(3)}
    stack.open_gate("feed")
    ended: dict[str, dict[str, Any]] = {}
    while not waiting <= set(ended):
        page = call(f"{stack.url}/v1/events?after={after}&wait=20").body
        ended |= {turn["id"]: turn for turn in page["data"]}
        after = page["after"]
    assert {turn_id: stack.turn(turn_id) for turn_id in waiting} == {turn_id: ended[turn_id] for turn_id in waiting}
    with closing(Stream(f"{stack.url}/v1/events")) as stream:
        streamed = [event.data["turn"] for event in islice(stream, 3)]
    assert streamed == call(f"{stack.url}/v1/events?limit=100").body["data"][:3]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("nobody", 404, "session_not_found"),
        ("s?user_id=other", 404, "session_not_found"),
        ("s?after=1-1", 400, "invalid_request"),
        ("s?until=later", 400, "invalid_request"),
    ],
)
def test_an_invalid_session_stream_is_refused(stack: Stack, path: str, status: int, code: str) -> None:
    stack.wait_until_finished(stack.submit("s", "hello"))
    path, _, query = path.partition("?")
    answer = call(f"{stack.url}/v1/sessions/{path}/events?{query}")
    assert (answer.status, answer.body["code"]) == (status, code)


def test_a_stopping_web_process_ends_session_streams(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [gate go]")
    tab = Tab(stack, ends=1)
    wait_until("the tab is connected", lambda: tab.snapshots)
    assert stack.web.stop() == 0
    stack.web = stack.start_web()
    stack.open_gate("go")
    tab.join()
    assert tab.texts == {turn_id: stack.turn(turn_id)["output"]["content"]}
