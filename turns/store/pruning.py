"""Removal of expired sessions from the lists of sessions, once an hour in the whole installation."""

import time
from collections.abc import Callable

from turns.backend import keys
from turns.backend.client import Client
from turns.store.session_scripts import SessionScripts

INTERVAL_SECONDS = 3600
COUNT = 100  # sessions that one script checks, which takes 0.1 ms
PAUSE_SECONDS = 0.005  # so the lists of 200,000 sessions take 12 s, and a fiftieth of a core of the store
SCAN_COUNT = 1000


def prune_sessions(
    client: Client, scripts: SessionScripts, *, worker: str, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Remove the sessions that have expired, unless a worker has done so within the last hour."""
    if not client.set(keys.PRUNER.name, worker, nx=True, ex=INTERVAL_SECONDS):
        return
    for name in client.scan_iter(keys.SESSIONS("*"), count=SCAN_COUNT, _type="zset"):
        tenant, position = name.decode().removeprefix(keys.SESSIONS.name), 0
        while position >= 0:
            position, _ = scripts.prune_sessions(tenant, first=position, limit=COUNT)
            sleep(PAUSE_SECONDS)
