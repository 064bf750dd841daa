"""An app in the process of the tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from web.app import create_app


@contextmanager
def open_app(settings: Settings) -> Iterator[Flask]:
    """Yield an app, and stop its reports at the end, whose warnings would be in the captured output of later tests."""
    app = create_app(settings, AssistantRegistry(settings))
    try:
        yield app
    finally:
        *_, reporter = app.extensions["draining"]
        reporter.stop()
