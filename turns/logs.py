"""Logs: past-tense events with bound ids, never message text.

All names are here; `docs/operations.md` explains them.
"""

import logging
import re
import sys
from enum import StrEnum
from functools import cache

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import FilteringBoundLogger, Processor

from turns.settings import LogFormat, Settings


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
    SESSION_ERASED = "session.erased"
    LEASE_LOST = "lease.lost"
    MESSAGE_SKIPPED = "message.skipped"
    STORE_UNAVAILABLE = "store.unavailable"
    LOOP_BROKEN = "loop.broken"
    ASSISTANTS_RELOADED = "assistants.reloaded"
    ASSISTANTS_REFUSED = "assistants.refused"
    WORKER_READY = "worker.ready"
    WORKER_DRAINING = "worker.draining"
    OPERATOR_ACTED = "operator.acted"
    REQUEST_BROKEN = "request.broken"


# Keys as providers and we spell them, also where only their ends are shown; other libraries log too, and quote.
SECRETS = re.compile(r"\b(?:sk-|inturn_)[A-Za-z0-9_*.-]+|(?<=Bearer )\S+")


def _masked(renderer: Processor) -> Processor:
    """The same, without keys, whoever wrote the line."""
    return lambda logger, method, event: SECRETS.sub("…", str(renderer(logger, method, event)))


def configure_logs(settings: Settings) -> None:
    """All log lines of this process, also those of libraries, have one form and go to standard error."""
    as_json = settings.log_format is LogFormat.JSON or (
        settings.log_format is LogFormat.AUTO and not sys.stderr.isatty()
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Processor = structlog.processors.JSONRenderer() if as_json else _console()
    last: list[Processor] = [_masked(renderer)]
    if as_json:
        last.insert(0, structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)))
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line for each request to the provider
    # Our own lines do not go through `logging`, where each costs 45 µs instead of 18.
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _console() -> Processor:
    # Not the pretty one: it shows the values of variables, which are message text and keys.
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


@cache
def get_logger() -> FilteringBoundLogger:
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger
