"""Without keys, pages of other origins can neither act here nor read; programs and one's own pages notice nothing."""

import pytest

from tests.support.processes import Stack, call, turn_request


@pytest.fixture(scope="module")
def settings() -> dict[str, str]:
    return {"INTURN_CORS_ORIGINS": "https://app.example"}


def pause(stack: Stack, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(f"{stack.url}/operator/pause/intake", method="POST", headers=named).status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://localhost:1", "Sec_Fetch_Site": "same-site"},
        {"Origin": "https://evil.example", "Sec_Fetch_Site": "cross-site"},
        {"Origin": "https://evil.example"},  # of a browser that does not tell the site
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
    ],
)
def test_a_page_of_another_origin_does_nothing(stack: Stack, headers: dict[str, str]) -> None:
    assert pause(stack, **headers) == 403
    assert stack.submit("s", "the intake is open")


def test_programs_own_pages_and_listed_origins_do(stack: Stack) -> None:
    host = stack.url.removeprefix("http://")
    for headers in (
        {},
        {"Origin": stack.url},
        {"Origin": f"http://{host}", "Sec_Fetch_Site": "same-origin"},
        {"Origin": "https://app.example", "Sec_Fetch_Site": "cross-site"},
    ):
        assert pause(stack, **headers) == 200
    call(f"{stack.url}/operator/resume/intake", method="POST")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example"])
def test_nobody_elses_name_leads_here(stack: Stack, host: str) -> None:
    answer = call(f"{stack.url}/v1/sessions", headers={"Host": host})
    assert (answer.status, answer.body["code"]) == (403, "forbidden")
    assert "INTURN_ALLOW_OPEN_ACCESS" in answer.body["detail"]


@pytest.mark.parametrize("host", ["localhost:8000", "web.localhost", "127.0.0.1", "[::1]:8000", "web", "app.example"])
def test_names_of_this_machine_and_of_listed_origins_do(stack: Stack, host: str) -> None:
    submitted = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "hello"), headers={"Host": host})
    assert submitted.status == 202
