"""Structured logs: past-tense events with bound ids, never message text.

All event names are listed here; `docs/guides/operations.md` explains them.
"""

import logging
import re
import sys
from contextlib import suppress
from enum import StrEnum
from functools import cache
from typing import Protocol, TextIO, cast

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor, WrappedLogger

from turns.config.log_pipe import LogPipe, open_log
from turns.config.settings import LogFormat, Settings


class Log(StrEnum):
    TURN_ACCEPTED = "turn.accepted"
    TURN_CLAIMED = "turn.claimed"
    TURN_COMMITTED = "turn.committed"
    TURN_RETRYING = "turn.retrying"
    TURN_FAILED = "turn.failed"
    TURN_INTERRUPTED = "turn.interrupted"
    TURN_RELEASED = "turn.released"
    TURN_CANCELLED = "turn.cancelled"
    TURN_DELETED = "turn.deleted"
    TURN_RESCUED = "turn.rescued"
    INDEX_REPAIRED = "index.repaired"
    SESSION_IMPORTED = "session.imported"
    SESSION_FORKED = "session.forked"
    SESSION_ERASED = "session.erased"
    USER_ERASED = "user.erased"
    FILE_STORED = "file.stored"
    FILES_DELETED = "files.deleted"
    FILE_MISSING = "file.missing"
    IMAGE_NOT_STORED = "image.not_stored"
    FILES_UNAVAILABLE = "files.unavailable"
    LEASE_LOST = "lease.lost"
    MESSAGE_SKIPPED = "message.skipped"
    HINT_SKIPPED = "hint.skipped"
    STORE_UNAVAILABLE = "store.unavailable"
    STORE_REPLACED = "store.replaced"
    LOGS_DROPPED = "logs.dropped"
    LOOP_BROKEN = "loop.broken"
    ASSISTANTS_RELOADED = "assistants.reloaded"
    ASSISTANTS_REFUSED = "assistants.refused"
    WORKER_READY = "worker.ready"
    WORKER_LIMITED = "worker.limited"
    WORKER_DRAINING = "worker.draining"
    WORKERS_DIFFER = "workers.differ"
    WORKER_VANISHED = "worker.vanished"
    CHAIN_NOT_BUILT = "chain.not_built"
    CHAINS_ABANDONED = "chains.abandoned"
    WORKER_STALLED = "worker.stalled"
    WEB_READY = "web.ready"
    OPERATOR_ACTED = "operator.acted"
    REQUEST_REFUSED = "request.refused"
    REQUEST_DONE = "request.done"
    AUDIT_FAILED = "audit.failed"
    KEY_RECORD_FAILED = "key_record.failed"
    REQUEST_BROKEN = "request.broken"


# API keys of providers and of this service, also if abbreviated: libraries quote them in their messages. No character
# that ends a JSON string is matched, so that the redacted line is still valid JSON. On the console a key may follow a
# colour code, which ends in a letter.
SECRETS = re.compile(r"(?:\b|(?<=\x1b\[\d\dm))(?:sk-|inturn_)[A-Za-z0-9_*.-]+|(?<=Bearer )[^\s\"'\\]+")

bound = structlog.contextvars.bound_contextvars  # adds ids to all events inside a `with` block


class EventLogger(Protocol):
    """A structlog logger that accepts only the events listed in `Log`."""

    def info(self, event: Log, **fields: object) -> None: ...
    def warning(self, event: Log, **fields: object) -> None: ...
    def error(self, event: Log, **fields: object) -> None: ...
    def exception(self, event: Log, **fields: object) -> None: ...


class LineWriter:
    """Last step of the processor chain; writes a line with one call, so that threads do not mix theirs."""

    def __init__(self, stream: TextIO | LogPipe) -> None:
        self._stream = stream
        self._reported_lines = 0

    def msg(self, text: str) -> None:
        """Write a line; drop it if the stream is broken or full, because no turn may fail or wait for a log line."""
        dropped = self._dropped_lines
        with suppress(OSError, ValueError):
            self._stream.write(text + "\n")
        if self._reported_lines < dropped == self._dropped_lines:
            self._reported_lines = dropped
            get_logger().warning(Log.LOGS_DROPPED, lines=dropped)

    @property
    def _dropped_lines(self) -> int:
        return self._stream.dropped_lines if isinstance(self._stream, LogPipe) else 0

    debug = info = warning = error = critical = exception = msg


def bind(**ids: object) -> None:
    """Add these ids to all further events of this greenlet or thread, instead of those bound before."""
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(**ids)


def bind_more(**ids: object) -> None:
    """Add these ids to all further events of this greenlet or thread, besides those bound before."""
    structlog.contextvars.bind_contextvars(**ids)


@cache
def get_logger() -> EventLogger:
    """Return the logger of this process; `configure_logs` must run before the first event."""
    logger: EventLogger = structlog.get_logger()
    return logger


def configure_logs(settings: Settings) -> None:
    """Write all events of this process, and the log records of libraries, to standard error in one format."""
    as_json = settings.log_format is LogFormat.JSON or (
        settings.log_format is LogFormat.AUTO and not sys.stderr.isatty()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    last = _json_renderers() if as_json else _console_renderers()
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last, _redact],
    )
    output = open_log(sys.stderr)
    handler = logging.StreamHandler(output)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it logs each request to the provider
    # Events bypass `logging`, which would take several times as long per line.
    structlog.configure(
        processors=[*shared, *last, _redact],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=lambda: LineWriter(output),
        cache_logger_on_first_use=True,
    )


def _json_renderers() -> list[Processor]:
    exceptions = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
    return [exceptions, structlog.processors.JSONRenderer()]


def _console_renderers() -> list[Processor]:
    # The default exception format shows the values of variables: message text and keys.
    return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]


def _redact(_logger: WrappedLogger, _method: str, rendered: EventDict) -> str:
    """Replace API keys in the rendered line."""
    return SECRETS.sub("…", cast(str, rendered))
