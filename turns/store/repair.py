"""Repair of what eviction and other programs have damaged in the store: one item at a time."""

from collections.abc import Iterator
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.backend.scripts import Scripts

INTERVAL_SECONDS = 60  # between two repairs in the whole installation
SCAN_COUNT = 1000  # keys that Redis looks at in one call, so that it blocks for less than a millisecond
SET_ASIDE_SECONDS = 7 * 86_400
TYPES = {"sorted set": b"zset"}  # Redis' name of a type, where it differs from the catalogue's


def repair(client: Client, scripts: Scripts, *, worker: str) -> Iterator[tuple[str, Reply]]:
    """Repair if no worker has begun to do so within the last minute; yield names of keys and sessions with outcomes.

    Raises `StoreUnavailable`.
    """
    if client.set(keys.REPAIRER.name, worker, nx=True, ex=INTERVAL_SECONDS):
        yield from _set_aside_foreign_keys(client)
        yield from _repair_sessions(client, scripts)


def _set_aside_foreign_keys(client: Client) -> Iterator[tuple[str, Reply]]:
    """Rename keys that have another type than the service gives them, so that it can write them anew."""
    fixed = [key for key in keys.CATALOGUE if not key.name.endswith(":") and key.type != "channel"]
    types = client.execute_many([("TYPE", key.name) for key in fixed])
    for key, found in zip(fixed, types, strict=True):
        if found not in {b"none", TYPES.get(key.type, key.type.encode())}:
            aside = keys.SET_ASIDE(key.name)
            client.execute_many([("RENAME", key.name, aside), ("EXPIRE", aside, SET_ASIDE_SECONDS)])
            yield key.name, Reply.BROKEN


def _repair_sessions(client: Client, scripts: Scripts) -> Iterator[tuple[str, Reply]]:
    cursor = 0
    while True:
        cursor, queues = cast(
            tuple[int, list[bytes]], client.scan(cursor, match=keys.QUEUE("*"), count=SCAN_COUNT, _type="list")
        )
        if queues:
            yield from scripts.repair_sessions([name.decode().removeprefix(keys.QUEUE.name) for name in queues])
        if not cursor:
            return
