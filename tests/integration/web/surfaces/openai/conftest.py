"""Apps for requests without a network, whose connections to the store are closed after each test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from flask import Flask

from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client
from turns.backend.opening import connect
from turns.config.settings import Settings
from web import app, services
from web.security import auth

NewApp = Callable[[Settings], Flask]


@pytest.fixture
def new_app(monkeypatch: pytest.MonkeyPatch) -> Iterator[NewApp]:
    """Return a function that creates an app, which caches no API keys."""
    with ExitStack() as opened:

        def connect_for_test(*arguments: Any, **options: Any) -> Client:
            client: Client = opened.enter_context(connect(*arguments, **options))
            return client

        monkeypatch.setattr(services, "connect", connect_for_test)
        monkeypatch.setattr(auth, "KEY_CACHE_SECONDS", 0)
        yield lambda settings: app.create_app(settings, AssistantRegistry(settings))
