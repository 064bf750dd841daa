"""All processes of one machine, in the order in which they need each other."""

import json
import os
import socket
import sys
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import IO, NoReturn
from urllib.parse import urlsplit

from supervisor.child import Child
from supervisor.embedded import embedded_store
from turns.connection import Client, connect
from turns.errors import ConfigurationError, StoreUnavailable
from turns.keyring import Keyring, check_exposure
from turns.roster import Roster
from turns.settings import Settings
from turns.store import TurnStore

STORE_READY_SECONDS = 60.0  # a long log of writes takes its time to load
ALL_READY_SECONDS = 60.0
GRACE_SECONDS = 30.0  # for running turns to end; what does not is taken up at the next start
STORE_GRACE_SECONDS = 10.0
LOOK_SECONDS = 0.1


class Machine:
    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigurationError`. Nothing has been started."""
        self._settings = settings
        self._lock: IO[str] | None = None
        self._store: Child | None = None
        Roster(settings)  # what is wrong with the assistants is said before anything runs
        _check_port_is_free(settings)
        if not settings.redis_url:
            self._store, self._lock = embedded_store(settings)
        environment = {**os.environ, "REDIS_URL": settings.store_url}
        names = ["web", *(f"worker {n}" for n in range(1, settings.workers + 1))]
        self._callers = [Child(name, [sys.executable, "-m", name.split()[0]], environment) for name in names]

    def start(self) -> None:
        """All processes run and have said that they are ready. Raises `ConfigurationError`."""
        if self._store:
            self._store.start()
        self._wait_until(f"{self._store_in_words} answers", self._store_answers, seconds=STORE_READY_SECONDS)
        with self._connect() as client:
            check_exposure(Keyring(client), self._settings)
        for child in self._callers:
            child.start()
        self._wait_until("web and workers are ready", self._all_ready, seconds=ALL_READY_SECONDS)
        print(self._welcome(), flush=True)

    def run(self) -> NoReturn:
        """Keeps all processes running, for ever."""
        while True:
            self._keep_running()
            time.sleep(LOOK_SECONDS)

    def stop_callers(self) -> None:
        """Web and workers have ended; running turns were given time to."""
        if any(child.is_running for child in self._callers):
            print("\nStopping; running turns are finished first. Ctrl-C again ends them by force.", flush=True)
        for child in self._callers:
            child.ask_to_stop()
        until = time.monotonic() + GRACE_SECONDS
        for child in self._callers:
            child.wait(max(0.0, until - time.monotonic()))

    def kill_callers(self) -> None:
        """Web and workers have ended; their turns are taken up at the next start."""
        for child in self._callers:
            child.kill()

    def stop_store(self) -> None:
        """The embedded store has ended, and its data is free."""
        if self._store:
            self._store.ask_to_stop()
            self._store.wait(STORE_GRACE_SECONDS)
        if self._lock:
            self._lock.close()

    def _wait_until(self, what: str, holds: Callable[[], bool], *, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                raise ConfigurationError(f"Waited {seconds:g} s in vain until {what}.")
            if wrong := [child.name for child in self._callers if child.is_misconfigured]:
                raise ConfigurationError(f"{wrong[0]} has said why.")
            self._keep_running()
            time.sleep(LOOK_SECONDS)

    def _keep_running(self) -> None:
        for child in (self._store, *self._callers):
            if child:
                child.keep_running()

    def _store_answers(self) -> bool:
        try:
            with self._connect() as client:
                return bool(client.ping())
        except StoreUnavailable:
            return False

    def _all_ready(self) -> bool:
        """The endpoint serves, and the workers that were started here beat; others may beat too."""
        try:
            with urllib.request.urlopen(f"{self._url}/readyz", timeout=1) as answer:  # noqa: S310  # our own address
                json.load(answer)
        except urllib.error.HTTPError as error:
            ready = json.load(error)
            if ready.get("status") == "unsafe":
                policy = ready["eviction_policy"]
                raise ConfigurationError(
                    f"The store may evict turns: its maxmemory-policy is {policy}. Set it to noeviction."
                ) from None
            return False
        except OSError:
            return False
        with self._connect() as client:
            beating = TurnStore(client, self._settings).workers()
        return all(any(f":{child.pid}:" in name for name in beating) for child in self._callers[1:])

    def _connect(self) -> Client:
        return connect(self._settings.store_url, timeout_seconds=1, retries=0, max_connections=1)

    @property
    def _store_in_words(self) -> str:
        """Without the password that its URL may hold."""
        if self._store:
            return "the embedded store"
        where = urlsplit(self._settings.store_url)
        return f"REDIS_URL ({where.netloc.rpartition('@')[2] or where.path})"

    @property
    def _url(self) -> str:
        return f"http://{self._settings.address}"

    def _welcome(self) -> str:
        settings = self._settings
        data = f"{settings.data_dir.resolve()} (embedded store, each write on disk before it is confirmed)"
        change = "OPENAI_API_KEY=… make up, or OPENAI_BASE_URL=http://127.0.0.1:11434/v1 INTURN_MODEL=llama3.2 make up"
        return textwrap.dedent(f"""
            InTurn is ready at {self._url}

            Submit a turn, then ask for its answer:

              id=$(curl -s {self._url}/v1/turns -H 'Content-Type: application/json' -d '{{"session_id": "foobar",
                "input": "What does cosine mean?", "variables": {{"ability": "math"}}}}' \\
                | python3 -c 'import json, sys; print(json.load(sys.stdin)["id"])')
              curl -s "{self._url}/v1/turns/$id?wait=30" | python3 -m json.tool --no-ensure-ascii

            Or talk: {self._url} in a browser, .venv/bin/inturn chat in another terminal.

            Model    {settings.model_in_words}
                     change it: {change}
            API      {self._url}/docs
            Data     {data if self._store else self._store_in_words}
            Workers  {settings.workers}; one more, in another terminal with the same settings: make worker
            Stop     Ctrl-C
        """)


def _check_port_is_free(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"{settings.address} cannot be used: {error.strerror}. "
                f"Choose another port (make up PORT={settings.port + 1}) or address (INTURN_HOST)."
            ) from None
