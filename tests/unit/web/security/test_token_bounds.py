"""What a token lets a request name, without a service."""

from collections.abc import Iterator

import pytest
from flask import Flask, g

from turns.access.access_token import AccessToken
from turns.access.api_key import Scope
from turns.domain.errors import Forbidden
from web.schemas.queries import NoQuery, SessionQuery, TurnsQuery
from web.security.auth import Caller
from web.security.token_bounds import bind


@pytest.fixture
def context() -> Iterator[None]:
    with Flask("test").test_request_context():
        yield


def log_in(**subject: str) -> None:
    token = AccessToken(key_id="0123456789ab", expires_at=1, scopes=("turns",), **subject)
    g.caller = Caller("acme", frozenset({Scope.TURNS}), "0123456789ab", token)


@pytest.mark.usefixtures("context")
def test_a_request_that_names_nothing_is_about_the_token() -> None:
    log_in(user_id="ada", session_id="s")
    bound = bind({}, TurnsQuery(), takes_tokens=True)
    assert (bound.user_id, bound.session_id) == ("ada", "s")
    assert bind({"session_id": "s"}, SessionQuery(), takes_tokens=True).user_id == "ada"


@pytest.mark.usefixtures("context")
@pytest.mark.parametrize("path", [{"user_id": "bob"}, {"session_id": "t"}, {"session_id": "s", "user_id": "bob"}])
def test_a_path_that_names_others_is_refused(path: dict[str, str]) -> None:
    log_in(user_id="ada", session_id="s")
    with pytest.raises(Forbidden, match="this token is for"):
        bind(path, NoQuery(), takes_tokens=True)


@pytest.mark.usefixtures("context")
def test_an_operation_takes_no_token_unless_it_says_so() -> None:
    log_in(user_id="ada")
    with pytest.raises(Forbidden):
        bind({}, NoQuery(), takes_tokens=False)


@pytest.mark.usefixtures("context")
def test_an_api_key_is_not_bound() -> None:
    g.caller = Caller("acme", frozenset({Scope.TURNS}), "0123456789ab")
    query = TurnsQuery(user_id="bob", session_id="t")
    assert bind({"user_id": "bob"}, query, takes_tokens=False) == query
