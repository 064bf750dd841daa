"""Requests of pages of other origins are refused; `tests/acceptance/http/test_contract.py` sends some over HTTP."""

import pytest

from turns.config.settings import Settings
from turns.domain.errors import Forbidden
from web.security.cross_origin import FOREIGN_HOST, OTHER_ORIGIN, CrossOriginGuard, is_domain

HOST = "127.0.0.1:8000"


SETTINGS = Settings(cors_origins="https://app.example")


def check(method: str, headers: dict[str, str], settings: Settings = SETTINGS) -> None:
    environ = {f"HTTP_{name.upper()}": value for name, value in {"host": HOST, **headers}.items()}
    CrossOriginGuard(settings).check(method, environ)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"origin": f"http://{HOST}", "sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "https://app.example", "sec_fetch_site": "cross-site"},
    ],
)
def test_programs_own_pages_and_listed_origins_may_write(headers: dict[str, str]) -> None:
    check("POST", headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
        {"origin": "http://localhost:1", "sec_fetch_site": "same-site"},
        {"origin": "null"},
        {"origin": "http://[::1"},
        {"sec_fetch_site": "cross-site"},
    ],
)
def test_pages_of_other_origins_may_read_but_not_write(headers: dict[str, str]) -> None:
    check("GET", headers)
    with pytest.raises(Forbidden, match=OTHER_ORIGIN):
        check("POST", headers)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_host_name_is_refused(method: str) -> None:
    with pytest.raises(Forbidden, match=FOREIGN_HOST):
        check(method, {"host": "evil.example:8000"})
    check(method, {"host": "app.example"})


@pytest.mark.parametrize("settings", [Settings(host="0.0.0.0"), Settings(allow_open_access=True)])  # noqa: S104
def test_a_public_service_is_called_by_any_name(settings: Settings) -> None:
    check("GET", {"host": "chat.example"}, settings)


@pytest.mark.parametrize(
    ("host", "may_be_owned"),
    [
        ("evil.example", True),
        ("127.0.0.1.evil.example:80", True),
        ("[::1", True),
        ("a]b", True),
        ("localhost:8000", False),
        ("web.localhost", False),
        ("127.0.0.1", False),
        ("[::1]:8000", False),
        ("web", False),
        ("", False),
    ],
)
def test_only_a_domain_may_be_owned_by_a_third_party(host: str, may_be_owned: bool) -> None:
    assert is_domain(host) is may_be_owned
