"""Repair of what eviction and other programs have damaged in the store: one item at a time."""

import time
from collections.abc import Callable, Iterator
from typing import cast

from turns.backend import keys
from turns.backend.client import Client
from turns.backend.script_replies import Reply
from turns.pauses.pauses import restore_index
from turns.store.worker_scripts import WorkerScripts

INTERVAL_SECONDS = 60  # between two repairs in the whole installation
SCAN_COUNT = 1000  # keys that Redis looks at in one call, which takes 0.07 ms
SCAN_PAUSE_SECONDS = 0.1  # so a store of a million keys takes 100 s, and less than 0.1 % of its core
SET_ASIDE_SECONDS = 7 * 86_400
CURSOR = "repair_cursor"  # field of the service
TYPES = {"sorted set": b"zset"}  # Redis' name of a type, where it differs from the catalogue's


def repair(
    client: Client, scripts: WorkerScripts, *, worker: str, sleep: Callable[[float], None] = time.sleep
) -> Iterator[tuple[str, Reply]]:
    """Repair if no worker has done so within the last minute; yield names of keys and sessions with outcomes.

    If its worker dies, another one continues after a minute where it was. Raises `StoreUnavailable`.
    """
    if client.set(keys.REPAIRER.name, worker, nx=True, ex=INTERVAL_SECONDS):
        yield from _set_aside_foreign_keys(client)
        yield from ((str(part), Reply.RESTORED) for part in restore_index(client))
        yield from _repair_sessions(client, scripts, worker, sleep)


def _set_aside_foreign_keys(client: Client) -> Iterator[tuple[str, Reply]]:
    """Rename keys that have another type than the service gives them, so that it can write them anew."""
    fixed = [key for key in keys.CATALOGUE if not key.name.endswith(":") and key.type != "channel"]
    types = client.execute_many([("TYPE", key.name) for key in fixed])
    for key, found in zip(fixed, types, strict=True):
        if found not in {b"none", TYPES.get(key.type, key.type.encode())}:
            aside = keys.SET_ASIDE(key.name)
            client.execute_many([("RENAME", key.name, aside), ("EXPIRE", aside, SET_ASIDE_SECONDS)])
            yield key.name, Reply.BROKEN


def _repair_sessions(
    client: Client, scripts: WorkerScripts, worker: str, sleep: Callable[[float], None]
) -> Iterator[tuple[str, Reply]]:
    cursor = int(client.hget(keys.SERVICE.name, CURSOR) or 0)
    while True:
        cursor, queues = cast(
            tuple[int, list[bytes]], client.scan(cursor, match=keys.QUEUE("*"), count=SCAN_COUNT, _type="list")
        )
        if queues:
            yield from scripts.repair_sessions([name.decode().removeprefix(keys.QUEUE.name) for name in queues])
        progress = [("HSET", keys.SERVICE.name, CURSOR, cursor)] if cursor else [("HDEL", keys.SERVICE.name, CURSOR)]
        client.execute_many([*progress, ("SET", keys.REPAIRER.name, worker, "EX", INTERVAL_SECONDS)])
        if not cursor:
            return
        sleep(SCAN_PAUSE_SECONDS)
