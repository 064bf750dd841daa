"""Modules that a process must not load at its start, to save memory and time."""

import subprocess
import sys

import pytest

PATCHED = "from gevent import monkey; monkey.patch_all()"
NEVER = {"celery", "kombu", "langchain_core", "openai"}
ON_DEMAND = {
    "web.openapi.document",
    "web.schemas.exposition",
    "prometheus_client",
    "opentelemetry.exporter",
}


@pytest.mark.parametrize(
    ("program", "heavy"),
    [
        (
            f"{PATCHED}; import web.server.gunicorn_server",
            {*NEVER, *ON_DEMAND, "flask", "werkzeug", "jinja2", "web.app"},
        ),
        (f"{PATCHED}; import web.server.gunicorn_server, web.app", {*NEVER, *ON_DEMAND}),
    ],
    ids=["the parent of the web processes", "a web process"],
)
def test_modules_that_serving_does_not_need_are_not_loaded(program: str, heavy: set[str]) -> None:
    script = f"import sys; {program}; print(*sorted(set(sys.modules) & {heavy!r}), sep='\\n', file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ran.stderr.split() == []
