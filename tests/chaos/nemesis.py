"""The faults of a chaos run: a seeded schedule in which each fault ends before the next one begins."""

import os
import random
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import redis

from tests.support.processes import Stack
from turns.config.settings import Settings

DEFAULT = Settings(redis_url="unset")
HINTS = "inturn:hints"
TURN = re.compile("turn_[0-9a-f]{32}")
FROZEN_BEYOND_LEASE_SECONDS = 2.0
FREEZE_SECONDS = (1.0, 20.0)
OUTAGE_SECONDS = 60.0
STORE_DOWN_SECONDS = 1.0
POISON_FIELDS = ("status", "claims", "worker")
POISON_SECONDS = 0.2  # until a poison turn that runs kills its worker
POLL_SECONDS = 0.05
HINTS_GATHER_SECONDS = 1.0  # while all workers are frozen


class Nemesis:
    def __init__(self, stack: Stack, *, seed: int, every_seconds: float, faults: Counter[str]) -> None:
        """`faults`: the number of times that each fault happens, by the name of its method."""
        self._stack = stack
        self._random = random.Random(seed)
        self._every_seconds = every_seconds
        self._schedule = list(faults.elements())
        self._random.shuffle(self._schedule)
        self._lease_seconds = float(stack.environment.get("INTURN_LEASE_SECONDS", DEFAULT.lease_seconds))
        self._thread = threading.Thread(target=self._run)
        self.kills: list[tuple[float, int]] = []  # time and process id
        self._poison: list[threading.Thread] = []
        self.poisoned: dict[str, str] = {}  # error code by turn
        self.lost_hints: list[tuple[float, str]] = []  # time and turn id
        self.done: Counter[str] = Counter()
        self.served_elsewhere: list[float] = []  # seconds of writes for sessions of nodes that were not killed

    def start(self) -> None:
        self._thread.start()

    def finish(self) -> None:
        """Wait until all faults have happened and ended."""
        self._thread.join()
        for poison in self._poison:
            poison.join()

    def _run(self) -> None:
        for fault in self._schedule:
            time.sleep(self._every_seconds)
            self._stack.replace_dead()
            cause_fault: Callable[[], None] = getattr(self, fault)
            with suppress(redis.RedisError):
                cause_fault()
            self.done[fault] += 1

    def kill_worker(self) -> None:
        worker = self._random.choice([*self._stack.workers, *self._stack.chain_workers])
        self.kills.append((time.time(), worker.pid))
        worker.kill()
        self._stack.replace_dead()

    def poison_turn(self) -> None:
        """Submit a turn that kills each worker which runs it, until it has failed."""
        turn_id = self._stack.submit(f"poison-{len(self._poison)}", "poison [gate never]")
        self._poison.append(threading.Thread(target=self._kill_workers_of, args=[turn_id]))
        self._poison[-1].start()

    def _kill_workers_of(self, turn_id: str) -> None:
        last_claim = b"0"
        while True:
            record = dict(
                zip(POISON_FIELDS, self._stack.store.raw.hmget(f"inturn:turn:{turn_id}", POISON_FIELDS), strict=True)
            )
            if record["status"] not in {b"queued", b"in_progress"}:
                error = self._stack.wait_until_finished(turn_id)["error"] or {"code": ""}
                self.poisoned[turn_id] = error["code"]
                return
            if record["status"] == b"in_progress" and record["claims"] != last_claim:
                last_claim = record["claims"]
                time.sleep(POISON_SECONDS)
                pid = int(record["worker"].split(b":")[1])
                self.kills.append((time.time(), pid))
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                self._stack.replace_dead()
            time.sleep(POLL_SECONDS)

    def freeze_worker(self) -> None:
        worker = self._random.choice(self._stack.workers)
        worker.signal(signal.SIGSTOP)
        time.sleep(self._lease_seconds + FROZEN_BEYOND_LEASE_SECONDS)
        worker.signal(signal.SIGCONT)

    def freeze_worker_briefly(self) -> None:
        self._freeze(self._random.choice(self._stack.workers).signal)

    def freeze_web(self) -> None:
        self._freeze(self._stack.web.signal)

    def freeze_store(self) -> None:
        self._freeze(self._stack.store.signal)

    def _freeze(self, send: Callable[[signal.Signals], None]) -> None:
        send(signal.SIGSTOP)
        time.sleep(self._random.uniform(*FREEZE_SECONDS))
        with suppress(ProcessLookupError):  # the supervisor may have replaced it
            send(signal.SIGCONT)

    def stop_provider(self) -> None:
        """Let the model answer 503 for a minute."""
        self._stack.set_outage(is_down=True)
        time.sleep(OUTAGE_SECONDS)
        self._stack.set_outage(is_down=False)

    def kill_store(self) -> None:
        self._stack.store.kill()
        time.sleep(STORE_DOWN_SECONDS)
        self._stack.store.start()

    def kill_web(self) -> None:
        self._stack.web.kill()
        self._stack.replace_dead()

    def lose_hints(self) -> None:
        with self._hints_gathered():
            lost = self._stack.store.raw.lpop(HINTS, 1_000_000) or []
            self.lost_hints += [(time.time(), turn) for hint in lost for turn in TURN.findall(hint.decode())[:1]]

    def multiply_hints(self) -> None:
        with self._hints_gathered():
            for hint in self._stack.store.raw.lrange(HINTS, 0, -1) * 4:
                self._stack.store.raw.lpush(HINTS, hint)

    @contextmanager
    def _hints_gathered(self) -> Iterator[None]:
        """Freeze the workers until the broker's list contains hints, because otherwise it is nearly always empty."""
        for worker in self._stack.workers:
            worker.signal(signal.SIGSTOP)
        time.sleep(HINTS_GATHER_SECONDS)
        yield
        for worker in self._stack.workers:
            worker.signal(signal.SIGCONT)

    def forge_hints(self) -> None:
        template = self._stack.store.raw.hget("inturn:service", "hint")
        placeholder = b"turn_" + b"0" * 32
        for turn in (b"turn_" + b"f" * 32, b"nonsense", b"../../etc/passwd"):
            self._stack.store.raw.lpush(HINTS, template.replace(placeholder, turn))

    def flush_scripts(self) -> None:
        self._stack.store.raw.script_flush()

    def cut_connections(self) -> None:
        self._stack.store.raw.client_kill_filter(_type="normal", skipme=True)
