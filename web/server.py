"""gunicorn, configured here instead of by its command line, so that `Settings` is the one place to set anything."""

import logging
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from turns.logs import configure_logs
from turns.settings import Settings

CONNECTIONS = 4000  # long-polls, streams and idle keep-alives together; greenlets are cheap
GRACE_SECONDS = 30
KEEP_ALIVE_SECONDS = 75  # above the idle time of usual proxies, so that they close first


class PropagatingLogger(Logger):  # type: ignore[misc]  # gunicorn is untyped
    """gunicorn's own lines go where all others go."""

    def setup(self, cfg: Any) -> None:
        self.loglevel = logging.INFO
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn is untyped
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        settings = self._settings
        for name, value in {
            "bind": f"{settings.host}:{settings.port}",
            "workers": settings.web_processes,
            "worker_class": "gevent",
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
