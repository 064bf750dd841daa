"""The pages as they are served: without a store, small, cacheable, and with a strict content policy."""

import gzip
import re
from posixpath import dirname, join, normpath

import pytest
from werkzeug.test import Client, TestResponse

from turns.assistants.registry import AssistantRegistry
from turns.config.settings import Settings
from web.app import create_app

# The whole page, each file compressed separately; the service leaves compression to a proxy.
# The chat: 10 of them for icons, search, date groups and settings. The operator page: a view for each of its subjects.
MAX_KILOBYTES = {"/": 88, "/operator": 75}


@pytest.fixture(scope="module")
def client() -> Client:
    nowhere = Settings(redis_url="unix:///nowhere")
    return create_app(nowhere, AssistantRegistry(nowhere)).test_client()


@pytest.fixture(scope="module", params=MAX_KILOBYTES)
def address(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def page(client: Client, address: str) -> TestResponse:
    return client.get(address)


def files_of(client: Client, page: TestResponse) -> dict[str, bytes]:
    """Return all files that the page loads by URL: those that it names, and those that they import."""
    waiting = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    found: dict[str, bytes] = {}
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        with client.get(address) as answer:
            assert answer.status_code == 200, address
            found[address] = answer.data
        imports = re.findall(
            r'^(?:import|export)\b[^;]*?"(\.[^"]+)";', found[address].decode(errors="replace"), re.MULTILINE
        )
        waiting += [normpath(join(dirname(address), name)) for name in imports]
    return found


def test_the_pages_load_without_a_store(page: TestResponse) -> None:
    assert page.status_code == 200
    assert page.mimetype == "text/html"


def test_the_whole_page_is_light(client: Client, page: TestResponse, address: str) -> None:
    files = {address: page.data, **files_of(client, page)}
    sizes = {name: len(gzip.compress(data, 6)) for name, data in files.items()}
    assert sum(sizes.values()) <= MAX_KILOBYTES[address] * 1024, sizes


def test_the_page_preloads_each_module(client: Client, page: TestResponse) -> None:
    """The browser need not read one module to find the next."""
    assert set(files_of(client, page)) == set(re.findall(r'"(/static/[^"]+)"', page.text))


def test_a_file_is_cached_until_it_changes(client: Client, page: TestResponse) -> None:
    [script] = re.findall(r'<script type="module" src="([^"]+)"', page.text)
    with client.get(script) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
    other_version = re.sub(r"/static/\w+/", "/static/0000000000000000/", script)
    with client.get(other_version) as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    with client.get(other_version, headers={"If-None-Match": answer.headers["ETag"]}) as same:
        assert same.status_code == 304


@pytest.mark.parametrize("path", ["/static/x/nothing.js", "/static/x/../../app.py", "/static/x/%2e%2e/app.py"])
def test_nothing_else_is_served(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_policy_allows_only_our_own_files(page: TestResponse) -> None:
    policy = dict(part.partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split("; "))
    assert policy.pop("trusted-types") == "dompurify"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert policy["default-src"] == "'none'"
    assert policy.pop("img-src") == "'self' blob:", "a page fetches the images of messages with its key"
    assert set(policy.values()) == {"'none'", "'self'"}


def test_nothing_is_inline_or_from_another_host(client: Client, page: TestResponse) -> None:
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page.text) == []
    assert re.findall(r'(?:src|href)="(?!/|#)([^"]+)"', page.text) == []
    own = {name: data.decode() for name, data in files_of(client, page).items() if "/vendor/" not in name}
    fetched = r"""(?:from|import|url|fetch)\s*\(?\s*["'`]?(?:https?:)?//"""
    assert [name for name, text in own.items() if re.search(fetched, text)] == []


def test_a_trailing_slash_redirects_to_the_operator_page(client: Client) -> None:
    answer = client.get("/operator/?status=failed")
    assert (answer.status_code, answer.headers["Location"]) == (308, "/operator?status=failed")
