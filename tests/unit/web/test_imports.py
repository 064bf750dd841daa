"""A process of the service loads what it needs to start; the rest is loaded on demand, for memory and time."""

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
def test_what_is_not_needed_to_serve_is_not_loaded(program: str, heavy: set[str]) -> None:
    told = f"import sys; {program}; print(*sorted(set(sys.modules) & {heavy!r}), sep='\\n', file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    assert ran.stderr.split() == []
