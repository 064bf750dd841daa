"""The service matches its OpenAPI document, for generated requests, valid and invalid, alone and in sequences."""

import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from flask import Flask

from tests.support.processes import Stack
from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from web.app import create_app
from web.openapi.operation import EXTENSION, Operation
from web.security.auth import SURFACE_PATHS

# Not checked: that all requests that match the schema are accepted. It does not contain the variables of assistants.
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_SESSION_BACKLOG": "3"}


@pytest.fixture(scope="module")
def app() -> Flask:
    nowhere = Settings(redis_url="unix:///nowhere")
    return create_app(nowhere, AssistantRegistry(nowhere))


@pytest.fixture(scope="module")
def operations(app: Flask) -> list[Operation]:
    found: list[Operation] = app.extensions[EXTENSION]
    return found


def test_each_route_has_a_contract(app: Flask, operations: list[Operation]) -> None:
    served = {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        if not rule.rule.startswith(SURFACE_PATHS)  # whose contracts are those of other clients
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    about_itself = {("/openapi.json", "get"), ("/docs", "get")}
    pages = {("/", "get"), ("/operator", "get"), ("/operator/", "get"), ("/static/{version}/<path:filename>", "get")}
    assert served - about_itself - pages == {(operation.path, operation.method) for operation in operations}


def test_the_docs_page_shows_every_operation(stack: Stack, operations: list[Operation]) -> None:
    with urllib.request.urlopen(f"{stack.url}/docs") as answer:
        page = answer.read().decode()
    for operation in operations:
        assert f'id="{operation.id}"' in page
    assert re.findall(r'(?:src|href)="(?!/|#)([^"]+)"', page) == [], "no file comes from another host"


@pytest.mark.timeout(300)
def test_generated_requests_get_only_described_responses(stack: Stack, tmp_path: Path) -> None:
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "run", f"{stack.url}/openapi.json"),
        *("--checks", ",".join(CHECKS), "--mode", "all", "--seed", "20261125", "--max-examples", "8"),
        *("--phases", "examples,coverage,fuzzing,stateful", "--exclude-path-regex", "/events$"),
        *("--request-timeout", "40", "--no-color"),
        *("--exclude-operation-id", "pause_service"),  # all other requests would get the 503 of a paused intake
    ]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stdout[-8000:] + ended.stderr[-2000:]
