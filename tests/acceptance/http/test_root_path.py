"""Under a path prefix, every link begins with it, and requests are answered with and without it."""

import re
from collections.abc import Callable
from contextlib import closing

import pytest
from werkzeug.test import Client

from inturn import Client as InTurn
from tests.support.processes import Stack, call, turn_request
from tests.support.sse import Stream
from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from web.app import create_app

ROOT_PATH = "/a/chat"


@pytest.fixture(scope="module")
def client() -> Client:
    settings = Settings(redis_url="unix:///nowhere", root_path=ROOT_PATH)
    return create_app(settings, AssistantRegistry(settings)).test_client()


@pytest.mark.parametrize("prefix", [ROOT_PATH, ""], ids=["kept", "removed"])
@pytest.mark.parametrize("path", ["/", "/operator", "/docs"])
def test_each_link_of_a_page_begins_with_the_prefix(client: Client, prefix: str, path: str) -> None:
    page = client.get(prefix + path)
    links = [link for link in re.findall(r'(?:src|href)="([^"]+)"', page.text) if not link.startswith("#")]
    assert links
    for link in links:
        assert link.startswith(f"{ROOT_PATH}/")
        for address in (link, link.removeprefix(ROOT_PATH)):
            with client.get(address) as found:
                assert found.status_code == 200


def test_the_prefix_alone_is_the_chat(client: Client) -> None:
    assert client.get(ROOT_PATH).text == client.get(f"{ROOT_PATH}/").text


def test_a_redirect_keeps_the_prefix(client: Client) -> None:
    redirect = client.get(f"{ROOT_PATH}/operator/?view=live")
    assert redirect.headers["Location"] == f"{ROOT_PATH}/operator?view=live"


def test_the_description_of_the_api_names_its_server(client: Client) -> None:
    described = client.get(f"{ROOT_PATH}/openapi.json").get_json()
    assert described["servers"] == [{"url": ROOT_PATH}]
    assert "/v1/turns" in described["paths"]


@pytest.mark.parametrize("path", ["/a/chatter", "/a", f"{ROOT_PATH}{ROOT_PATH}/docs"])
def test_a_path_beside_the_prefix_is_not_found(client: Client, path: str) -> None:
    problem = client.get(path)
    assert problem.status_code == 404
    assert problem.get_json()["instance"].startswith(f"{ROOT_PATH}/")


def test_the_links_of_a_turn_can_be_followed(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_ROOT_PATH="/chat")
    accepted = call(f"{stack.url}/chat/v1/turns", method="POST", body=turn_request("s", "hello"))
    assert accepted.headers["Location"] == accepted.body["links"]["self"] == f"/chat/v1/turns/{accepted.body['id']}"
    assert all(link.startswith("/chat/v1/") for link in accepted.body["links"].values())
    assert call(f"{stack.url}{accepted.headers['Location']}?wait=10").body["status"] == "completed"
    assert call(stack.url + accepted.body["links"]["messages"]).status == 200
    with closing(Stream(stack.url + accepted.body["links"]["events"])) as stream:
        *_, done = stream
    assert done.data["turn"]["links"] == accepted.body["links"]


def test_the_client_works_below_the_prefix(start: Callable[..., Stack]) -> None:
    stack = start(workers=1, INTURN_ROOT_PATH="/chat")
    with InTurn(f"{stack.url}/chat") as inturn:
        assert inturn.readiness().status == "ok"
        turn = inturn.turns.create("s", "hello")
        assert turn.wait().status == "completed"


def test_keys_are_required_below_the_prefix_too(start: Callable[..., Stack]) -> None:
    stack = start(workers=0, INTURN_ROOT_PATH="/chat")
    stack.create_api_key("acme")
    for prefix in ("", "/chat"):
        assert call(f"{stack.url}{prefix}/v1/turns").status == 401
        assert call(f"{stack.url}{prefix}/operator/status").status == 401
