"""gunicorn, configured here instead of by its command line, so that `Settings` is the one place to set anything."""

import logging
from types import FrameType
from typing import Any

import gevent
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers.ggevent import GeventWorker

from turns.logs import configure_logs
from turns.settings import Settings

CONNECTIONS = 4000  # long-polls, streams and idle keep-alives together; greenlets are cheap
GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 5  # gunicorn waits for idle connections too when it stops


class PropagatingLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's own lines go where all others go."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True


class Worker(GeventWorker):  # type: ignore[misc]  # gunicorn is untyped
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Whoever waits for a turn is answered now, and asks again: another process, or this one's successor."""
        gevent.spawn(self.wsgi.extensions["waiters"].drain)
        super().handle_exit(sig, frame)


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        for name, value in {
            "bind": settings.address,
            "workers": settings.web_processes,
            "worker_class": "web.server.Worker",
            "worker_connections": CONNECTIONS,
            "graceful_timeout": GRACE_SECONDS,
            "keepalive": KEEP_ALIVE_SECONDS,
            "logger_class": PropagatingLogger,
            "proc_name": "inturn-web",
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        # In the worker, after the fork: its connections are its own.
        from web.app import create_app  # noqa: PLC0415

        return create_app(self._settings)


def serve(settings: Settings) -> None:
    """Serves until it is told to stop."""
    configure_logs(settings)
    Server(settings).run()
