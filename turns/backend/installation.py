"""Facts on which all processes that share a store and a namespace must agree. Each one checks them at its start."""

import sys
from collections.abc import Sequence
from contextlib import suppress
from types import MappingProxyType

from redis.exceptions import ResponseError

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.opening import CHECK_TIMEOUT_SECONDS, check_store, connect
from turns.backend.partition.move_mark import read_mark
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, StoreUnavailable

PARTITION_RULES = MappingProxyType(
    {
        "partitions": "REDIS_URL: this store has {found} partitions, which can never change, and this process would "
        "use {own}: end the URL with ?partitions={found}.",
        "placement": "INTURN_PLACEMENT: sessions are placed by {found} in this store, which can never change, and this "
        "process would place them by {own}.",
    }
)
SCHEMA = 3  # raise it when an earlier release could not work with what this one writes


def join_or_exit(settings: Settings) -> None:
    """Check that this process can share the store; if not, print the reason and exit with code 2.

    A store that does not answer yet is not checked, because waiting may cure that.
    """
    try:
        check_store(settings.store_url)
        with (
            suppress(StoreUnavailable),
            connect(settings.store_url, timeout_seconds=CHECK_TIMEOUT_SECONDS, retries=0, max_connections=1) as client,
        ):
            join(client, settings)
    except ConfigurationError as error:
        sys.stderr.write(f"InTurn cannot start.\n{error}\n")
        raise SystemExit(2) from None


def join(client: Client, settings: Settings) -> None:
    """Record what the first process decides for all. Raises `ConfigurationError` if this process differs."""
    own = agreed_facts(settings)
    _write(client, [("HSETNX", keys.SERVICE.name, name, value) for name, value in own.items()])
    if check_agreement(client, settings) < SCHEMA:
        _write(client, [("HSET", keys.SERVICE.name, "schema", SCHEMA)])


def agreed_facts(settings: Settings) -> dict[str, str]:
    """Return what a store records of the first process."""
    return {"schema": str(SCHEMA), "history": _history(settings), **_partitions(settings)}


def check_not_moving(client: Client) -> None:
    """Raise `ConfigurationError` if this store was moved into a Redis Cluster, or a move is not complete."""
    if (mark := read_mark(client)) and mark.problem:
        raise ConfigurationError(mark.problem)


def check_agreement(client: Client, settings: Settings) -> int:
    """Return the schema of the store. Raises `ConfigurationError` if this process differs from those before it."""
    check_not_moving(client)
    partitions = _partitions(settings)
    [found] = client.read_hashes([keys.SERVICE.name], ["schema", "history", *partitions])
    schema, own = int(found.get("schema", SCHEMA)), _history(settings)
    history = found.get("history", own)
    if schema > SCHEMA:
        raise ConfigurationError(
            f"The store was written by a newer release (schema {schema}; this release knows {SCHEMA}): "
            "start that release or a later one."
        )
    if history != own:
        raise ConfigurationError(
            f"INTURN_HISTORY: the histories of this store are kept in {_place(history)}, and this process would "
            f"keep them in {_place(own)}; use the same value everywhere, or another INTURN_NAMESPACE."
        )
    for name, value in partitions.items():
        if found.get(name, value) != value:
            raise ConfigurationError(PARTITION_RULES[name].format(found=found[name], own=value))
    return schema


def _write(client: Client, commands: Sequence[Sequence[str | int]]) -> None:
    """Write if possible: a store that refuses writes can be compared, and a worker repairs a key of another type."""
    with suppress(StoreUnavailable, ResponseError):
        client.execute_many(commands)


def _partitions(settings: Settings) -> dict[str, str]:
    """Return what determines the partition of a session; empty for a store without partitions."""
    if not settings.partitions:
        return {}
    return {"partitions": str(settings.partitions), "placement": settings.placement}


def _history(settings: Settings) -> str:
    return "file" if settings.history_directory else "redis"


def _place(history: str) -> str:
    return "files (file:DIR)" if history == "file" else "the store (redis)"
