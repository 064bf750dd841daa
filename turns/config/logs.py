"""Logs: past-tense events with bound ids, never message text.

All names are here; `docs/operations.md` explains them.
"""

import logging
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import TextIO

from turns.config.log_lines import Fields, to_colours, to_json
from turns.config.settings import LogFormat, Settings

Render = Callable[[Fields, BaseException | None], str]


class Log(StrEnum):
    TURN_ACCEPTED = "turn.accepted"
    TURN_CLAIMED = "turn.claimed"
    TURN_COMMITTED = "turn.committed"
    TURN_RETRYING = "turn.retrying"
    TURN_FAILED = "turn.failed"
    TURN_INTERRUPTED = "turn.interrupted"
    TURN_RELEASED = "turn.released"
    TURN_CANCELLED = "turn.cancelled"
    TURN_RESCUED = "turn.rescued"
    SESSION_IMPORTED = "session.imported"
    SESSION_ERASED = "session.erased"
    LEASE_LOST = "lease.lost"
    MESSAGE_SKIPPED = "message.skipped"
    STORE_UNAVAILABLE = "store.unavailable"
    LOOP_BROKEN = "loop.broken"
    ASSISTANTS_RELOADED = "assistants.reloaded"
    ASSISTANTS_REFUSED = "assistants.refused"
    WORKER_READY = "worker.ready"
    WORKER_DRAINING = "worker.draining"
    WEB_READY = "web.ready"
    OPERATOR_ACTED = "operator.acted"
    REQUEST_BROKEN = "request.broken"


# Keys as providers and we spell them, also where only their ends are shown; other libraries log too, and quote.
# None has what ends a string in JSON: a line stays one.
SECRETS = re.compile(r"\b(?:sk-|inturn_)[A-Za-z0-9_*.-]+|(?<=Bearer )[^\s\"'\\]+")


_bound: ContextVar[MappingProxyType[str, object]] = ContextVar("_bound", default=MappingProxyType({}))


def bind(**ids: object) -> None:
    """Each line of this greenlet or thread has these ids from now on, and no others."""
    _bound.set(MappingProxyType(ids))


@contextmanager
def bound(**ids: object) -> Iterator[None]:
    """Each line meanwhile has these ids too."""
    token = _bound.set(MappingProxyType({**_bound.get(), **ids}))
    try:
        yield
    finally:
        _bound.reset(token)


@dataclass
class Logger:
    """Our own lines. They do not go through `logging`, where each costs several times as much."""

    stream: TextIO
    render: Render = to_colours
    least: int = logging.INFO

    def info(self, event: Log, **fields: object) -> None:
        self._write(logging.INFO, event, fields)

    def warning(self, event: Log, **fields: object) -> None:
        self._write(logging.WARNING, event, fields)

    def error(self, event: Log, **fields: object) -> None:
        self._write(logging.ERROR, event, fields)

    def exception(self, event: Log, **fields: object) -> None:
        """With the exception that is being handled."""
        self._write(logging.ERROR, event, fields, sys.exc_info()[1])

    def _write(self, level: int, event: Log, fields: Fields, error: BaseException | None = None) -> None:
        if level >= self.least:
            # In one piece, so that no other thread's line is in its midst. No turn fails for want of a place for lines.
            with suppress(OSError, ValueError):
                self.stream.write(_line(self.render, level, {**fields, "event": event}, error) + "\n")


_logger = Logger(sys.stderr)


def get_logger() -> Logger:
    return _logger


def configure_logs(settings: Settings) -> None:
    """All log lines of this process, also those of libraries, have one form and go to standard error."""
    as_json = settings.log_format is LogFormat.JSON or (
        settings.log_format is LogFormat.AUTO and not sys.stderr.isatty()
    )
    render = to_json if as_json else to_colours
    level = settings.log_level.upper()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OfLibraries(render))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request to the provider
    _logger.stream, _logger.render, _logger.least = sys.stderr, render, logging.getLevelNamesMapping()[level]


class OfLibraries(logging.Formatter):
    """What libraries log, in the same form."""

    OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}

    def __init__(self, render: Render) -> None:
        super().__init__()
        self._render = render

    def format(self, record: logging.LogRecord) -> str:
        added = {name: value for name, value in vars(record).items() if name not in self.OWN}
        error = record.exc_info[1] if record.exc_info else None
        return _line(self._render, record.levelno, {**added, "event": record.getMessage()}, error)


def _line(render: Render, level: int, fields: Fields, error: BaseException | None) -> str:
    """With the bound ids, and without keys, whoever wrote it."""
    when = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    named = {**_bound.get(), **fields, "level": logging.getLevelName(level).lower(), "timestamp": when}
    return SECRETS.sub("…", render(named, error))
