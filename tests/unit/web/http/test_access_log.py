"""The access log of an app, whose store is away."""

from collections.abc import Callable
from typing import Any

import pytest

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from web.app import create_app
from web.http import access_log

Request = Callable[..., list[dict[str, Any]]]


class Events:
    """A logger in memory."""

    def __init__(self) -> None:
        self.logged: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.logged.append({"event": event, **fields})


@pytest.fixture
def request_done(monkeypatch: pytest.MonkeyPatch) -> Request:
    """Return a function that sends a request to a new app, and returns the events of its access log."""
    events = Events()
    monkeypatch.setattr(access_log, "get_logger", lambda: events)

    def send(path: str, *, is_on: bool = True, **options: Any) -> list[dict[str, Any]]:
        settings = Settings(redis_url="unix:///nowhere", access_log=is_on)
        create_app(settings, AssistantRegistry(settings)).test_client().open(path, **options)
        return events.logged

    return send


def test_a_request_is_logged_without_ids_and_query(request_done: Request) -> None:
    [event] = request_done("/v1/turns/turn_secret?wait=secret")
    assert event.pop("ms") >= 0
    assert event == {"event": "request.done", "method": "GET", "path": "/v1/turns/{turn_id}", "status": 503}


def test_an_unknown_path_is_not_quoted(request_done: Request) -> None:
    [event] = request_done("/secret", method="POST")
    assert (event["method"], event["path"], event["status"]) == ("POST", None, 404)
    assert "secret" not in str(event)


def test_without_the_setting_no_request_is_logged(request_done: Request) -> None:
    assert request_done("/livez", is_on=False) == []
