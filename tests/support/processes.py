"""The product as it runs: real processes that the tests start and stop."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPException
from pathlib import Path
from typing import Any, Protocol, Self

from inturn.testing.ports import free_ports
from tests.support.forked.processes import Fork, can_fork
from tests.support.server import DURABLE, Server
from tests.support.waiting import wait_until
from tools import ROOT

DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # no proxy of the environment can reach a test
GRACE_SECONDS = 60
CANARY = "sk-canary-0815"  # the provider key of each stack; `Stack.stop` checks that no log contains it
SYSTEM_MESSAGE = {"role": "system", "content": "You are a helpful assistant."}
# Fields of a turn with the prompt of LangChain's example, which the plain Celery baseline uses too.
EXAMPLE = {"assistant": "example", "variables": {"ability": "math"}}
EXAMPLE_SYSTEM_MESSAGE = {
    "role": "system",
    "content": "You're an assistant who's good at math. Respond in 20 words or fewer",
}


class Process:
    """A child process in a separate process group; its output goes to a file, which a failing test shows."""

    def __init__(
        self,
        *module: str,
        log: Path,
        environment: Mapping[str, str],
        directory: Path = ROOT,
        python: str | Path = sys.executable,
        prefix: Sequence[str] = (),
        fork: bool = False,
    ) -> None:
        self._process: subprocess.Popen[bytes] | Fork
        if fork and not prefix and can_fork(module, environment):
            self._process = Fork(*module, log=log, environment=environment)
            return
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*prefix, python, "-m", *module],
                cwd=directory,
                env={**os.environ, **environment},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def terminate(self) -> None:
        """Send SIGTERM and return at once."""
        self._process.terminate()

    def signal(self, number: signal.Signals) -> None:
        os.killpg(self._process.pid, number)

    def stop(self) -> int:
        """Send SIGTERM, wait for the end and return the exit code."""
        self._process.terminate()
        return self._process.wait(GRACE_SECONDS)

    def kill(self) -> None:
        """Send SIGKILL to the process and all its children, and wait for the end."""
        with contextlib.suppress(ProcessLookupError):
            self.signal(signal.SIGKILL)
        self._process.wait(GRACE_SECONDS)


@dataclass(frozen=True)
class HttpResponse:
    status: int
    headers: Message
    body: Any


def call(
    url: str,
    *,
    method: str = "GET",
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    api_key: str | None = None,
    seconds: float = 60,
) -> HttpResponse:
    """Send one HTTP request; a body that is not bytes is sent as JSON. Raise `OSError` if no response arrives."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    all_headers = {
        **({} if data is None else {"Content-Type": "application/json"}),
        **({"Authorization": f"Bearer {api_key}"} if api_key else {}),
        **(headers or {}),
    }
    request = urllib.request.Request(url, data=data, method=method, headers=all_headers)
    try:
        with DIRECT.open(request, timeout=seconds) as response:
            return HttpResponse(response.status, response.headers, json.loads(response.read() or b"null"))
    except urllib.error.HTTPError as error:
        with error:
            return HttpResponse(error.code, error.headers, json.loads(error.read() or b"null"))
    except HTTPException as error:  # the server died during its response; to a caller the same as an unreachable server
        raise ConnectionError(str(error)) from error


class Store(Protocol):
    """The part of a store that a stack uses."""

    url: str
    raw: Any

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...

    def signal(self, number: signal.Signals) -> None: ...


class Stack:
    """A store, a scripted model, one endpoint and some workers; a context manager that stops them."""

    model_module = "tests.support.scripted_model"
    model_address = "127.0.0.1"
    forks_processes = True  # which makes them ready in a fifth of the CPU time

    def __init__(
        self,
        directory: Path,
        *,
        workers: int,
        chain_workers: int = 0,
        settings: Mapping[str, str] | None = None,
        store: Store | None = None,
    ) -> None:
        self._directory = directory
        self._model_port, self._web_port = free_ports(2)
        self.url = f"http://127.0.0.1:{self._web_port}"
        self.store = store or Server(directory, options=DURABLE)
        self.store.start()
        self.environment = {
            "REDIS_URL": self.store.url,
            "PORT": str(self._web_port),
            "OPENAI_BASE_URL": f"http://{self.model_address}:{self._model_port}/v1",
            "OPENAI_API_KEY": CANARY,
            "PYTHONWARNINGS": "default",
            **(settings or {}),
        }
        self.model = self._process(self.model_module, str(self._model_port), self.model_address)
        self.web: Process
        self.workers: list[Process] = []
        self.chain_workers: list[Process] = []
        self.start_processes(workers=workers, chain_workers=chain_workers)
        self.wait_until_ready(workers=workers + chain_workers)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_until_ready(self, *, workers: int) -> None:
        wait_until("all processes are ready", lambda: self.live_workers() == workers)

    def start_processes(self, *, workers: int, chain_workers: int) -> None:
        self.web = self.start_web()
        self.workers = [self.start_worker() for _ in range(workers)]
        self.chain_workers = [self.start_chain_worker() for _ in range(chain_workers)]

    def start_web(self) -> Process:
        return self._process("web")

    def start_worker(self) -> Process:
        return self._process("worker")

    def start_chain_worker(self) -> Process:
        return self._process("worker", "--chains")

    def replace_dead(self) -> None:
        """Start the processes again that have died, as a supervisor does."""
        if not self.web.is_running:
            self.web = self.start_web()
        self.workers = [worker if worker.is_running else self.start_worker() for worker in self.workers]
        self.chain_workers = [
            worker if worker.is_running else self.start_chain_worker() for worker in self.chain_workers
        ]

    def stop(self) -> None:
        for process in (self.web, *self.workers, *self.chain_workers, self.model):
            process.kill()
        self.store.stop()
        self.store.raw.close()
        assert CANARY not in self.logs(), "a key is in the log"

    def submit(self, session_id: str, text: str, **more: Any) -> str:
        """Submit a turn of the default assistant and return its id."""
        response = call(f"{self.url}/v1/turns", method="POST", body=turn_request(session_id, text, **more))
        assert response.status == 202, response
        turn_id: str = response.body["id"]
        return turn_id

    def turn(self, turn_id: str, *, wait: float = 0) -> dict[str, Any]:
        response = call(f"{self.url}/v1/turns/{turn_id}?wait={wait}")
        assert response.status == 200, response
        turn: dict[str, Any] = response.body
        return turn

    def wait_until_running(self, turn_id: str) -> None:
        wait_until(f"{turn_id} runs", lambda: self.turn(turn_id)["status"] == "in_progress")

    def wait_until_streaming(self, turn_id: str, *, events: int = 2) -> None:
        """Wait until the turn's stream contains this many events; the second one is the first delta."""
        stream = f"inturn:events:{turn_id}"
        wait_until(f"{turn_id} streams", lambda: self.store.raw.xlen(stream) >= events)

    def wait_until_finished(self, turn_id: str) -> dict[str, Any]:
        """Wait until the turn has ended, and return it."""
        wait_until(f"{turn_id} has ended", lambda: self.turn(turn_id, wait=10)["finished_at"])
        return self.turn(turn_id)

    def worker_of(self, turn_id: str) -> Process:
        """Wait until a worker runs the turn, and return that worker."""
        found: list[Process] = []

        def has_worker() -> bool:
            name = (self.store.raw.hget(f"inturn:turn:{turn_id}", "worker") or b"").decode()
            workers = [*self.workers, *self.chain_workers]
            found.extend(worker for worker in workers if f":{worker.pid}:" in name)
            return bool(found)

        wait_until(f"a worker runs {turn_id}", has_worker)
        return found[0]

    def messages(self, session_id: str) -> list[dict[str, Any]]:
        """Return the history of a session, which must fit on one page."""
        page = call(f"{self.url}/v1/sessions/{session_id}/messages?limit=100").body
        assert not page["has_more"]
        messages: list[dict[str, Any]] = page["data"]
        return messages

    def all_messages(self, session_id: str) -> list[dict[str, Any]]:
        """Return the whole history of a session, from any number of pages."""
        messages: list[dict[str, Any]] = []
        after = 0
        while after is not None:
            page = call(f"{self.url}/v1/sessions/{session_id}/messages?limit=100&after={after}").body
            messages += page["data"]
            after = page["after"]
        return messages

    def model_requests(self, question: str | None = None) -> list[dict[str, Any]]:
        """Return the requests that the model received, or only those whose last message is this question."""
        requests: list[dict[str, Any]] = call(f"http://{self.model_address}:{self._model_port}/requests").body
        return [r for r in requests if question is None or r["messages"][-1]["content"] == question]

    def wait_until_disconnected(self, question: str) -> None:
        """Wait until the worker has closed the connection on which it sent this question to the model."""
        wait_until(
            "the connection to the provider is closed",
            lambda: any(request["closed"] for request in self.model_requests(question)),
        )

    def open_gate(self, name: str) -> None:
        call(f"http://{self.model_address}:{self._model_port}/gates/{name}", method="POST", body={})

    def set_outage(self, *, is_down: bool) -> None:
        """Let the model answer 503 from now on, or stop that."""
        path = "down" if is_down else "up"
        call(f"http://{self.model_address}:{self._model_port}/outage/{path}", method="POST", body={})

    def create_api_key(self, tenant: str, *options: str) -> str:
        return self._run_turns_command("keys", "create", tenant, *options).strip()

    def revoke_api_key(self, api_key: str) -> None:
        self._run_turns_command("keys", "revoke", api_key.split("_")[1])

    def logs(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    @property
    def _log(self) -> Path:
        return self._directory / "processes.log"

    def _process(self, *module: str, prefix: Sequence[str] = ()) -> Process:
        return Process(*module, log=self._log, environment=self.environment, prefix=prefix, fork=self.forks_processes)

    def _run_turns_command(self, *arguments: str) -> str:
        command = [sys.executable, "-m", "turns", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout

    def live_workers(self) -> int:
        """Return the number of live workers that the endpoint reports, or -1 if it is unreachable."""
        try:
            return int(call(f"{self.url}/readyz", seconds=2).body["live_workers"])
        except OSError:
            return -1


def turn_request(session_id: str, text: str, **more: Any) -> dict[str, Any]:
    """Return the JSON body that submits a turn of the default assistant."""
    return {"session_id": session_id, "input": text, **more}
