"""A process of the endpoint that is stopped while it starts ends like any other."""

import signal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from web.server.gunicorn_server import GunicornWorker


def test_a_signal_during_the_start_ends_it_with_code_0() -> None:
    starting: Any = SimpleNamespace(booted=False)
    with pytest.raises(SystemExit) as ended:
        GunicornWorker.handle_exit(cast(GunicornWorker, starting), signal.SIGTERM, None)
    assert ended.value.code == 0
