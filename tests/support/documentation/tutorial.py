"""The app of the tutorial, `examples/fastapi_app.py`, as a process."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inturn.testing.ports import free_ports
from tests.support.processes import Process
from tests.support.waiting import wait_until


@contextmanager
def run_app(service_url: str, *, log: Path) -> Iterator[str]:
    """Run the app beside this service, yield its URL, and check that it has raised nothing."""
    [port] = free_ports(1)
    command = ("uvicorn", "examples.fastapi_app:app", "--port", str(port))
    process = Process(*command, log=log, environment={"INTURN_URL": service_url})
    try:
        wait_until("the app accepts connections", lambda: accepts_connections(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
    assert "Traceback" not in log.read_text(encoding="utf-8")


def accepts_connections(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
