"""Connection settings."""

import pytest

from inturn import AsyncClient, Client, ConfigurationError
from inturn.transport.connection import ConnectionSettings

resolve = ConnectionSettings.resolve


def test_an_argument_overrides_the_environment_and_the_default() -> None:
    environment = {"INTURN_URL": "http://from.environment/", "INTURN_API_KEY": "key-of-environment"}
    assert resolve({}).base_url == "http://127.0.0.1:8000"
    assert resolve(environment).base_url == "http://from.environment"
    assert resolve(environment, base_url="https://argument/x").base_url == "https://argument/x"
    assert resolve(environment).headers == {"Authorization": "Bearer key-of-environment"}
    assert resolve({}).headers == {}


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http:///v1"])
def test_an_invalid_url_is_rejected_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be like"):
        Client(url)


def test_an_invalid_key_is_rejected_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        Client(api_key="secret\r\nX-Evil: 1")
    assert "secret" not in str(error.value)
    assert "secret" not in repr(resolve({}, api_key="secret"))


def test_a_loopback_address_is_recognized() -> None:
    assert all(resolve({}, base_url=f"http://{host}:1").is_loopback for host in ("127.0.0.1", "[::1]", "localhost"))
    assert not resolve({}, base_url="http://inturn.example").is_loopback


@pytest.mark.parametrize("client", [Client, AsyncClient])
def test_an_unusable_proxy_is_named_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, client: type[Client] | type[AsyncClient]
) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://user:secret@proxy")
    with pytest.raises(ConfigurationError, match="ALL_PROXY") as error:
        client("http://inturn.example")
    assert "secret" not in str(error.value)
    with Client("http://localhost:1"):
        pass  # no proxy is used on this machine
