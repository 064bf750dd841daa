import pytest

from inturn import Client, ConfigurationError
from inturn.transport.connection import Connection


def connection(environment: dict[str, str] | None = None, **given: str | None) -> Connection:
    return Connection.of(environment or {}, **{"base_url": None, "api_key": None, "max_retries": 1, **given})  # type: ignore[arg-type]


def test_an_argument_goes_before_the_environment_and_that_before_the_default() -> None:
    environment = {"INTURN_URL": "http://from.environment/", "INTURN_API_KEY": "key-of-environment"}
    assert connection().base_url == "http://127.0.0.1:8000"
    assert connection(environment).base_url == "http://from.environment"
    assert connection(environment, base_url="https://argument/x").base_url == "https://argument/x"
    assert connection(environment).headers == {"Authorization": "Bearer key-of-environment"}
    assert connection().headers == {}


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http:///v1"])
def test_a_url_that_cannot_be_used_is_refused_at_once(url: str) -> None:
    with pytest.raises(ConfigurationError, match="must be like"):
        Client(url)


def test_a_key_that_would_break_a_header_is_refused_and_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        Client(api_key="secret\r\nX-Evil: 1")
    assert "secret" not in str(error.value)
    assert "secret" not in repr(connection(api_key="secret"))


def test_no_proxy_stands_between_a_program_and_its_own_machine() -> None:
    assert all(connection(base_url=f"http://{host}:1").is_loopback for host in ("127.0.0.1", "[::1]", "localhost"))
    assert not connection(base_url="http://inturn.example").is_loopback
