"""Wait until the operator has stopped all processes of a store, and take back the turns of those that were killed."""

import time
from collections.abc import Callable

from turns.backend import keys
from turns.backend.client import Client
from turns.config.settings import Settings
from turns.domain.errors import TurnsError
from turns.processes.listing import read_processes
from turns.store.turns import TurnStore

POLL_SECONDS = 1.0
TURNS_AT_ONCE = 500


class MoveFailed(TurnsError):
    """The move cannot go on; its text says what to do."""


def running_processes(client: Client) -> list[str]:
    """Return the processes that have reported to this store lately and have not ended."""
    now = now_ms(client)
    return [f"{one.name} ({one.kind})" for one in read_processes(client) if one.is_recent(now)]


def wait_until_stopped(
    client: Client, *, seconds: float, report: Callable[[str], None], sleep: Callable[[float], None]
) -> None:
    """Return when no process serves from this store. Raises `MoveFailed` after this time."""
    until, reported = time.monotonic() + seconds, None
    while running := running_processes(client):
        if running != reported:
            report(f"Stop these processes; the move waits for them: {', '.join(running)}")
            reported = running
        if time.monotonic() >= until:
            raise MoveFailed(
                f"Still running: {', '.join(running)}. Nothing was copied, and the intake is paused. Stop them and run "
                "this again, or go back with --back."
            )
        sleep(POLL_SECONDS)


def take_back_running_turns(client: Client, settings: Settings) -> None:
    """Queue the turns again that killed workers have left running."""
    store = TurnStore(client, settings)
    while workers := _workers_with_turns(client):
        for worker in workers:
            store.rescue_worker(worker, is_forced=True)


def now_ms(client: Client) -> int:
    seconds, microseconds = client.time()
    return int(seconds) * 1000 + int(microseconds) // 1000


def _workers_with_turns(client: Client) -> set[str]:
    heads = [turn.decode() for turn in client.execute_command("ZRANGE", keys.DUE.name, 0, -1)]
    workers: set[str] = set()
    for start in range(0, len(heads), TURNS_AT_ONCE):
        names = [keys.TURN(turn_id) for turn_id in heads[start : start + TURNS_AT_ONCE]]
        records = client.read_hashes(names, ["status", "worker"])
        workers |= {record["worker"] for record in records if record.get("status") == "in_progress"}
    return workers
