from collections.abc import Callable

import pytest

from tests.support.stub_client import StubClient
from turns.access.api_key import ApiKey, Scope
from turns.access.api_keys import ApiKeyStore
from turns.backend.opening import connect
from turns.domain.errors import StoreUnavailable


@pytest.mark.parametrize("text", ["", "nonsense", "inturn_", "inturn_" + "g" * 12 + "_" + "a" * 43])
def test_a_malformed_key_is_refused_without_the_store(text: str) -> None:
    client = StubClient()
    assert ApiKeyStore(client.as_client).find_key(text) is None
    assert client.commands == []


def test_a_key_without_a_scope_is_not_created() -> None:
    client = StubClient()
    with pytest.raises(ValueError, match="scopes: at least one of turns, read, operator, observer, admin"):
        ApiKeyStore(client.as_client).create_key("acme", [])
    assert client.commands == []


@pytest.mark.parametrize(
    "call", [lambda k: k.create_key("acme", [Scope.TURNS]), lambda k: k.revoke_key("a" * 12), lambda k: k.list_keys()]
)
def test_a_store_that_does_not_answer_is_reported(call: Callable[[ApiKeyStore], object]) -> None:
    closed = connect("redis://127.0.0.1:1/0", timeout_seconds=1, retries=0, max_connections=1)
    with pytest.raises(StoreUnavailable):
        call(ApiKeyStore(closed))


def test_a_scope_of_a_newer_release_is_shown_as_it_is() -> None:
    record = {"tenant": "acme", "scopes": "of_tomorrow read", "created_at": "1"}
    assert ApiKey.from_record("a", record).scopes == {Scope.READ, "of_tomorrow"}
