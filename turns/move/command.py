"""The command `python -m turns move`: from the server in `REDIS_URL` into an empty Redis Cluster, or back again."""

import argparse
import math
import sys
from contextlib import ExitStack

from turns.backend.client import Client
from turns.backend.opening import check_store, connect
from turns.config.environment import with_store
from turns.config.settings import Settings
from turns.config.store_url import check_store_url, count_partitions
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.move.copier import Copied
from turns.move.mover import Mover, Stores
from turns.move.stopping import MoveFailed

WAIT_SECONDS = 600.0
DESCRIPTION = """\
Move everything from the server in REDIS_URL into an empty Redis Cluster. The settings are those of the service, with
INTURN_PLACEMENT as it shall be in the cluster.

The intake is paused and the move waits until the endpoint and the workers are stopped; turns that wait are moved, and
run in the cluster. Both stores are counted before the cluster may be used, and afterwards no process starts with the
old one. After a crash or an error, run the same command again: it begins again with an empty cluster. To go back to the
server, add --back."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--to", required=True, metavar="URL", help="the cluster: rediscluster://host[:port],…")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT_SECONDS,
        metavar="SECONDS",
        help="how long to wait for the processes to stop (default: %(default)g)",
    )
    parser.add_argument("--back", action="store_true", help="give up the move: use the server again, empty the cluster")
    parser.add_argument(
        "--lose-newer", action="store_true", help="with --back: also if the cluster has served since the move"
    )


def _seconds(text: str) -> float:
    if not 0 <= (seconds := float(text)) < math.inf:
        raise argparse.ArgumentTypeError("must not be less than 0")
    return seconds


def run_move(settings: Settings, options: argparse.Namespace) -> str:
    """Move, or go back, and return what to do next. Raises like `Mover`."""
    if settings.partitions:
        raise ConfigurationError("REDIS_URL: names a Redis Cluster, and the move begins with one server.")
    target_settings = _target_settings(settings, options.to)
    try:
        return _run(settings, target_settings, options)
    except StoreUnavailable as error:
        raise MoveFailed(f"{error}. The move is not complete: run this again when both stores answer.") from error


def _run(settings: Settings, target_settings: Settings, options: argparse.Namespace) -> str:
    with ExitStack() as stack:
        source = stack.enter_context(_connect(settings.store_url))
        target = stack.enter_context(_connect(options.to))
        stores = Stores(source=source, source_settings=settings, target=target, target_settings=target_settings)
        mover = Mover(stores, report=_report)
        if options.back:
            mover.go_back(gives_up_newer=options.lose_newer)
            return "The server is in use again: start the endpoint and the workers with its URL."
        copied = mover.move(wait_seconds=options.wait)
    return "\n".join([*_summary(copied), "Start the endpoint and the workers with REDIS_URL set to the cluster."])


def _target_settings(settings: Settings, url: str) -> Settings:
    """Return the settings of the service in the cluster. Raises `ConfigurationError` for those that it cannot keep."""
    try:
        check_store_url(url)
    except ValueError as error:
        raise ConfigurationError(f"--to: {error}") from None
    if not count_partitions(url):
        raise ConfigurationError("--to: must be a Redis Cluster, such as rediscluster://host:6379,host:6379")
    try:
        check_store(url)
    except ConfigurationError as error:
        raise ConfigurationError(str(error).replace("REDIS_URL", "--to")) from None
    return with_store(settings, url)


def _connect(url: str) -> Client:
    """Connect without repeating commands: an item that is appended again would be there twice."""
    return connect(url, timeout_seconds=30, retries=0, max_connections=2)


def _report(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _summary(copied: Copied | None) -> list[str]:
    if copied is None:
        return ["The move is complete."]
    lines = [f"Moved, and counted in both stores: {copied.read.total()} entries of {len(copied.read)} kinds."]
    return [*lines, *(f"Not moved: {count} of {name}: {reason}" for (name, reason), count in copied.left.items())]
