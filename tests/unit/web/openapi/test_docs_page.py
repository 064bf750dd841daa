"""The page `/docs` is complete, and its examples fit the OpenAPI document."""

import json
import re
import shlex
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient as Client
from jsonschema import Draft202012Validator

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from turns.domain.ids import ID_RULE
from web.app import create_app
from web.openapi.docs_page import Entry, groups
from web.openapi.operation import EXTENSION

JSON = "application/json"


@pytest.fixture(scope="module")
def client() -> Client:
    nowhere = Settings(redis_url="unix:///nowhere")
    return create_app(nowhere, AssistantRegistry(nowhere)).test_client()


@pytest.fixture(scope="module")
def api(client: Client) -> dict[str, Any]:
    document: dict[str, Any] = client.get("/openapi.json").get_json()
    return document


@pytest.fixture(scope="module")
def page(client: Client) -> str:
    return client.get("/docs").text


def entries(api: dict[str, Any]) -> Iterator[Entry]:
    for _, found in groups(api):
        yield from found


def is_valid(value: Any, schema: dict[str, Any], api: dict[str, Any]) -> bool:
    return bool(Draft202012Validator({**schema, "components": api["components"]}).is_valid(value))


def test_each_json_response_has_a_valid_example(api: dict[str, Any]) -> None:
    checked = 0
    for entry in entries(api):
        for status, response in entry.operation["responses"].items():
            if content := response.get("content", {}).get(JSON):
                assert is_valid(content["example"], content["schema"], api), (entry.path, status)
                checked += 1
    assert checked > 20


def test_each_body_has_an_example_that_is_accepted(client: Client, api: dict[str, Any]) -> None:
    models = [operation.body for operation in client.application.extensions[EXTENSION] if operation.body]
    documented = [
        body for entry in entries(api) if JSON in (body := entry.operation.get("requestBody", {})).get("content", {})
    ]
    assert len(models) == len(documented) > 2
    for model in models:
        [example] = api["components"]["schemas"][model.__name__]["examples"]
        assert is_valid(example, {"$ref": f"#/components/schemas/{model.__name__}"}, api), model
        model.model_validate(example)


def test_each_command_is_one_complete_request(api: dict[str, Any]) -> None:
    for entry in entries(api):
        command = shlex.split(entry.command.replace("\\\n", " "))
        [address] = [word for word in command if word.startswith("$INTURN_URL/")]
        assert "{" not in address
        assert ("-X" in command) == (entry.method != "get")
        assert bool({"-d", "-F"} & set(command)) == ("requestBody" in entry.operation)
        if "-d" in command:
            assert json.loads(command[command.index("-d") + 1])
        for parameter in entry.operation["parameters"]:
            if parameter["in"] == "query" and parameter["required"]:
                assert f"{parameter['name']}=" in address


def test_each_operation_is_in_a_group(api: dict[str, Any]) -> None:
    assert sum(1 for _ in entries(api)) == sum(map(len, api["paths"].values()))
    assert [tag["name"] for tag, found in groups(api) if not found] == []


def test_each_link_within_the_page_has_a_target(page: str) -> None:
    targets = re.findall(r'\bid="([^"]+)"', page)
    assert len(targets) == len(set(targets))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(targets)


def test_the_contents_link_every_section_and_operation(page: str, api: dict[str, Any]) -> None:
    contents = page.partition("<nav")[2].partition("</nav>")[0]
    linked = set(re.findall(r'href="#([^"]+)"', contents))
    assert linked >= {"first-request", "keys", "streams", "errors", "limits", "schemas"}
    assert linked >= {entry.operation["operationId"] for entry in entries(api)}


def test_required_values_are_marked_and_limits_named(page: str) -> None:
    body = page.partition('id="schema-SubmitBody"')[2].partition("</section>")[0]
    rows = {row[0]: row[1] for row in re.findall(r"<tr><td><code>(\w+)</code>(.*?)</tr>", body, re.DOTALL)}
    assert {name for name, row in rows.items() if "required" in row} == {"session_id", "input"}
    assert ID_RULE.removeprefix("must be ") in unescape(rows["session_id"])
    assert "131072 bytes" in rows["input"]
    assert "up to 64 entries" in rows["variables"]
    assert "default <code>enqueue</code>" in rows["on_busy"]
