"""Start, watch and stop all processes of one machine: the store, then the endpoint and the workers."""

import contextlib
import math
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

from supervisor.child import Child
from supervisor.embedded_store import embedded_store
from supervisor.heartbeat import Heartbeat
from supervisor.provider_check import ProviderCheck
from supervisor.readiness import read_readiness
from supervisor.welcome import welcome
from turns.access.api_keys import ApiKeyStore
from turns.access.exposure import check_exposure
from turns.access.key_record import KeyRecord
from turns.assistants.registry import AssistantRegistry
from turns.backend.client import Client
from turns.backend.opening import check_store, connect
from turns.config import commands
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, StoreUnavailable
from turns.domain.worker_kind import WorkerKind
from turns.processes.store_record import StoreRecord
from turns.store.health import list_live_workers

STORE_READY_SECONDS = 60.0  # loading a long append-only file takes time
ALL_READY_SECONDS = 60.0
GRACE_SECONDS = 30.0  # for running turns to finish; the rest run again after the next start
STORE_GRACE_SECONDS = 10.0
POLL_SECONDS = 0.1
STAGGER_SECONDS = 0.5  # between two restarts, because a starting process takes a core for a while
SILENT_STALLS = 4  # stall times without a heartbeat; by then a stalled worker that still can has ended itself
ASSISTANTS_SECONDS = 2.0  # interval at which the assistants are read again until one has a custom chain


class Stop(Exception):
    """Raised by the signals of Ctrl-C, of a closed terminal and of `kill`."""


class Machine:
    def __init__(self, settings: Settings, is_stopping: threading.Event) -> None:
        """Check the configuration without starting anything. Raises `ConfigurationError`.

        `is_stopping` is set by a signal before it raises `Stop`: Python drops what is raised in a `__del__`.
        """
        self._settings = settings
        self._is_stopping = is_stopping
        self._lock: IO[str] | None = None
        self._store: Child | None = None
        self._store_error = ""
        self._assistants = AssistantRegistry(settings)  # raises for an invalid file before anything is started
        _check_port_is_free(settings)
        if not settings.redis_url:
            self._store, self._lock = embedded_store(settings)
        self._key_record = KeyRecord(settings.data_dir) if self._store else None
        self._restarted_at = 0.0
        self._beats = tempfile.TemporaryDirectory(prefix="inturn-")
        self._environment = {**os.environ, "REDIS_URL": settings.store_url}
        if self._key_record and self._key_record.requires_keys:
            self._environment["INTURN_REQUIRE_KEYS"] = "true"
            self._settings = settings.model_copy(update={"require_keys": True})
        self._services = [
            Child("web", [sys.executable, "-m", "web"], self._environment),
            *(self._worker(f"worker {n}", "" if n == 1 else f".{n}") for n in range(1, settings.workers + 1)),
        ]
        self._has_chain_workers = False
        self._assistants_read_at = -math.inf
        self.add_chain_workers_if_needed()

    def start(self) -> None:
        """Start all processes and wait until they are ready. Raises `ConfigurationError`."""
        if self._store:
            self._store.start()
        self._wait_for(self._store_description, self._store_answers, seconds=STORE_READY_SECONDS)
        with self._connect() as client:
            api_keys = ApiKeyStore(client)
            self._remember_store(client)
            self._remember_keys(api_keys)
            check_exposure(api_keys, self._settings)
            needs_key = self._settings.require_keys or api_keys.has_keys()
        providers = ProviderCheck(self._assistants.all_assistants().values(), self._settings)
        for child in self._services:
            child.start()
        self._wait_for("the endpoint and the workers", self._all_ready, seconds=ALL_READY_SECONDS)
        data = f"{self._settings.data_dir.resolve()} (embedded store; each write is on disk before it is confirmed)"
        store = data if self._store else self._store_description
        print(welcome(self._settings, store=store, providers=providers.findings(), needs_key=needs_key), flush=True)

    def run(self) -> NoReturn:
        """Restart processes that exit, until a signal ends this."""
        while True:
            for child in self.add_chain_workers_if_needed():
                child.start()
            self._keep_running()
            time.sleep(POLL_SECONDS)

    def stop_services(self) -> None:
        """Stop the endpoint and the workers after the running turns, or after the grace period."""
        if any(child.is_running for child in self._services):
            print("\nStopping after the running turns. Press Ctrl-C again to stop at once.", flush=True)
        for child in self._services:
            child.terminate()
        until = time.monotonic() + GRACE_SECONDS
        for child in self._services:
            child.wait(max(0.0, until - time.monotonic()))

    def kill_services(self) -> None:
        """Kill the endpoint and the workers; their turns run again after the next start."""
        for child in self._services:
            child.kill()

    def stop_store(self) -> None:
        """Stop the embedded store and release the lock on its data."""
        if self._store:
            self._store.terminate()
            self._store.wait(STORE_GRACE_SECONDS)
        if self._lock:
            self._lock.close()
        self._beats.cleanup()

    def add_chain_workers_if_needed(self) -> list[Child]:
        """Return the chain workers to start: all of them as soon as an assistant has a custom chain, else none."""
        if self._has_chain_workers or time.monotonic() - self._assistants_read_at < ASSISTANTS_SECONDS:
            return []
        self._assistants_read_at = time.monotonic()
        with contextlib.suppress(ConfigurationError):  # the other processes log the errors of the file
            self._has_chain_workers = bool(AssistantRegistry(self._settings).need_worker(WorkerKind.CHAINS))
        if not self._has_chain_workers:
            return []
        numbers = range(1, self._settings.chain_workers + 1)
        added = [self._worker(f"chain worker {n}", f".chains.{n}", "--chains") for n in numbers]
        self._services += added
        return added

    def _worker(self, name: str, suffix: str, *arguments: str) -> Child:
        """Return a worker whose heartbeat file has this suffix."""
        file = Path(self._settings.beat_file or f"{self._beats.name}/beat")
        file = file.with_name(f"{file.name}{suffix}")
        return Child(
            name,
            [sys.executable, "-m", "worker", *arguments],
            {**self._environment, "INTURN_BEAT_FILE": str(file.absolute())},
            heartbeat=Heartbeat(file, max_seconds=SILENT_STALLS * self._settings.stall_seconds),
        )

    def _wait_for(self, what: str, is_ready: Callable[[], bool], *, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not is_ready():
            if time.monotonic() > until:
                raise ConfigurationError(f"Gave up after waiting {seconds:g} s for {what}.")
            if misconfigured := [child.name for child in self._services if child.is_misconfigured]:
                raise ConfigurationError(f"The reason is in the output of {misconfigured[0]} above.")
            self._keep_running()
            time.sleep(POLL_SECONDS)

    def _keep_running(self) -> None:
        if self._is_stopping.is_set():
            raise Stop
        for child in filter(None, (self._store, *self._services)):
            now = time.monotonic()
            if child.keep_running(may_start=now - self._restarted_at > STAGGER_SECONDS):
                self._restarted_at = now

    def _remember_store(self, client: Client) -> None:
        if self._store and StoreRecord(self._settings.data_dir).follow(client):
            print(
                f"The store in {self._settings.data_dir} is another one than at the last start, or was emptied: "
                "its turns, histories and API keys are gone. Restore a backup if this was not intended.",
                flush=True,
            )

    def _remember_keys(self, api_keys: ApiKeyStore) -> None:
        """Record that keys exist; revoke keys again that an older copy of the store has revived."""
        if not self._key_record:
            return
        if api_keys.has_keys():
            self._key_record.require_keys()
        elif self._key_record.requires_keys:
            print(
                "The store has no API key, but it had some: every request is refused. "
                f"To create one: {commands.CREATE_KEY}"
            )
        for key_id in self._key_record.revoke_again(api_keys):
            print(f"The API key {key_id}, once revoked, was in the store, an older copy perhaps. It is revoked again.")

    def _store_answers(self) -> bool:
        check_store(self._settings.store_url)
        try:
            with self._connect() as client:
                return bool(client.ping())
        except StoreUnavailable as error:
            if not self._store and str(error) != self._store_error:
                self._store_error = str(error)
                print(f"Waiting for {self._store_description}: {error}", flush=True)
            return False

    def _all_ready(self) -> bool:
        """Return true if the endpoint serves and the workers of this supervisor send heartbeats."""
        try:
            status, ready = read_readiness(self._settings, timeout_seconds=1)
        except OSError:
            return False
        if ready.get("status") == "unsafe":
            policy = ready["eviction_policy"]
            raise ConfigurationError(
                f"The store may evict turns because its maxmemory-policy is {policy}. Set it to noeviction."
            )
        if refusal := ready.get("refusal"):
            raise ConfigurationError(f"No turn can be accepted: {refusal}. {commands.DOCTOR} prints a fix.")
        if status != 200:
            return False
        with self._connect() as client:
            live = list_live_workers(client)
        return all(any(f":{child.pid}:" in name for name in live) for child in self._services[1:])

    def _connect(self) -> Client:
        return connect(self._settings.store_url, timeout_seconds=1, retries=0, max_connections=1)

    @property
    def _store_description(self) -> str:
        """The name of the store for messages, without the password of its URL."""
        if self._store:
            return "the embedded store"
        url = urlsplit(self._settings.store_url)
        return f"REDIS_URL ({url.netloc.rpartition('@')[2] or url.path})"


def _check_port_is_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"PORT, INTURN_HOST: {settings.address} cannot be used: {error.strerror}. "
                f"Choose another port ({commands.up_at(settings.port + 1)}) or address (INTURN_HOST)."
            ) from None
