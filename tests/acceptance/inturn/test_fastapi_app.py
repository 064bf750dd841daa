"""The app of the tutorial, `examples/fastapi_app.py`, as its users see it."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.documentation.tutorial import run_app
from tests.support.processes import HttpResponse, Stack, call
from tests.support.sse import StreamReader


class User:
    """A browser with a cookie."""

    def __init__(self, app_url: str, name: str) -> None:
        self.url = app_url
        self.headers = {"Cookie": f"user={name}"}

    def call(self, method: str, path: str, body: Any = None) -> HttpResponse:
        return call(f"{self.url}{path}", method=method, body=body, headers=self.headers)

    def submit(self, text: str, *, session_id: str = "chat", message_id: str = "") -> str:
        body = {"id": message_id or str(uuid4()), "session_id": session_id, "text": text}
        turn_id: str = self.call("POST", "/turns", body).body["id"]
        return turn_id

    def watch(self, turn_id: str) -> StreamReader:
        return StreamReader(f"{self.url}/turns/{turn_id}/events", headers=self.headers)


@pytest.fixture(scope="module")
def app(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("app") / "app.log"
    with run_app(stack.url, log=log) as url:
        yield url


def test_the_answer_is_streamed(app: str, stack: Stack) -> None:
    ada = User(app, "ada")
    turn_id = ada.submit("hello [words 20]")
    reader = ada.watch(turn_id)
    reader.read()
    assert reader.done
    assert reader.text == stack.turn(turn_id)["output"]["content"]


def test_a_broken_stream_continues_without_repetition(app: str, stack: Stack) -> None:
    ada = User(app, "ada")
    turn_id = ada.submit("hello [words 60] [pace 0.02]", session_id="resumed")
    reader = ada.watch(turn_id)
    for _ in range(3):
        reader.read(max_events=2)
    reader.read_until_done()
    assert reader.text == stack.turn(turn_id)["output"]["content"]
    ids = [event.id for event in reader.seen if event.id]
    assert len(set(ids)) == len(ids) > 5


def test_a_repeated_message_creates_one_turn(app: str) -> None:
    ada = User(app, "ada")
    first = ada.submit("once", session_id="repeated", message_id="m1")
    assert ada.submit("once", session_id="repeated", message_id="m1") == first
    assert User(app, "bob").submit("once", session_id="repeated", message_id="m1") != first


def test_a_running_turn_can_be_cancelled(app: str, stack: Stack) -> None:
    ada = User(app, "ada")
    turn_id = ada.submit("wait [gate never]", session_id="cancelled")
    assert ada.call("POST", f"/turns/{turn_id}/cancel").body == {"status": "cancelled"}
    assert stack.turn(turn_id)["status"] == "cancelled"


def test_users_see_and_erase_only_their_sessions(app: str, stack: Stack) -> None:
    eve, mallory = User(app, "eve"), User(app, "mallory")
    turns = {user: user.submit("mine", session_id="private") for user in (eve, mallory)}
    for turn_id in turns.values():
        stack.wait_until_finished(turn_id)
    assert eve.call("GET", "/sessions").body == ["private"]
    assert mallory.call("GET", f"/turns/{turns[eve]}/events").status == 404
    assert mallory.call("POST", f"/turns/{turns[eve]}/cancel").status == 404
    assert mallory.call("DELETE", "/sessions").status == 204
    assert mallory.call("GET", "/sessions/private").status == 404
    assert [message["role"] for message in eve.call("GET", "/sessions/private").body] == ["user", "assistant"]


def test_a_caller_without_a_session_cookie_is_refused(app: str) -> None:
    assert call(f"{app}/sessions").status == 401


def test_the_refusal_of_the_service_is_passed_on(app: str) -> None:
    response = User(app, "ada").call("POST", "/turns", {"id": "m", "session_id": "x", "text": ""})
    assert response.status == 400
    assert "input" in response.body["detail"]
