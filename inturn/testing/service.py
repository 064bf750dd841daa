"""Start the real service as processes in a temporary directory, and stop it."""

import contextlib
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from inturn.client import Client
from inturn.installed_service import find_service, service_command, service_environment
from inturn.testing.ports import PORTS, free_ports
from inturn.testing.scripted_model import Script, ScriptedModel, echo

READY = "InTurn is ready"  # printed when endpoint and workers are ready
READY_SECONDS = 90.0  # LangChain takes seconds to import, on a busy machine many
GRACE_SECONDS = 0.5
STOP_SECONDS = 20.0
POLL_SECONDS = 0.05
# A test wants the failure of the model at once, neither a long retry nor a wait for its recovery.
TEST_SETTINGS = {"INTURN_RETRY_SECONDS": "0.1", "INTURN_OUTAGE_PATIENCE_SECONDS": "0"}
# The settings of the developer's shell must not change a test.
FOREIGN = frozenset(
    {"REDIS_URL", "PORT", "WORKERS", "CHAIN_WORKERS", "OPENAI_BASE_URL", "OPENAI_API_BASE", "OPENAI_API_KEY"}
    | {"OPENAI_PROXY", "OTEL_EXPORTER_OTLP_ENDPOINT"}
)


class CannotStart(RuntimeError):
    """The service is not installed, or its processes ended; the message has their output."""


class RunningService:
    """A running InTurn: its `url`, a `client` for it, and its `model`."""

    def __init__(self, url: str, client: Client, model: ScriptedModel, log: Path) -> None:
        self.url = url
        self.client = client
        self.model = model
        self._log = log

    def logs(self) -> str:
        """Return all that the processes have logged, with the traceback of a failed chain."""
        return self._log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_inturn(
    script: Script = echo,
    *,
    directory: str | os.PathLike[str] = ".",
    settings: Mapping[str, str] | None = None,
) -> Iterator[RunningService]:
    """Start store, endpoint and workers, and yield them when they are ready, after about five seconds.

    `script` is the model: it receives the messages and returns a reply. The assistants are those of `assistants.toml`
    in `directory`, from which custom chains are imported. `settings` are further environment variables of the service.
    Its data is in a temporary directory. Raises `CannotStart`.
    """
    with tempfile.TemporaryDirectory(prefix="inturn-") as scratch, ScriptedModel(script).running() as model:
        port, log = _free_port(), Path(scratch, "log")
        own = {"PORT": str(port), "INTURN_DATA_DIR": str(Path(scratch, "data")), "OPENAI_BASE_URL": model.url}
        process = _start(Path(directory).resolve(), {**own, **(settings or {})}, log)
        try:
            _wait_until_ready(process, log)
            url = f"http://127.0.0.1:{port}"
            with Client(url, api_key="") as client:
                yield RunningService(url, client, model, log)
        finally:
            _stop(process)


def _start(directory: Path, settings: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    service = find_service()
    if service is None:
        raise CannotStart('Only the client is installed. The service is in "inturn[service]".')
    kept = {name: value for name, value in os.environ.items() if not name.startswith("INTURN_") and name not in FOREIGN}
    environment = {**kept, "OPENAI_API_KEY": "scripted", "NO_PROXY": "*", **TEST_SETTINGS, **settings}
    with log.open("wb") as output:
        return subprocess.Popen(  # noqa: S603  # our own program
            service_command("supervisor"),
            cwd=directory,
            env=service_environment(service, environment, directory),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in a terminal reaches the tests alone, which then stop the service
        )


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + READY_SECONDS
    while READY not in (output := log.read_text(encoding="utf-8", errors="replace")):
        if process.poll() is not None:
            raise CannotStart(f"The service ended with exit code {process.returncode}:\n{output}")
        if time.monotonic() > until:
            raise CannotStart(f"The service is not ready after {READY_SECONDS:g} s:\n{output}")
        time.sleep(POLL_SECONDS)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the processes as Ctrl-C pressed twice does: running turns are given up, and the data with them."""
    for patience_seconds in (GRACE_SECONDS, STOP_SECONDS):
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
            return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    if not (ports := free_ports(1)):
        raise CannotStart(f"No port from {PORTS.start} to {PORTS.stop - 1} is free.")
    return ports[0]
