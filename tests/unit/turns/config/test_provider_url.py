import pytest

from turns.config.provider_url import ProviderUrl, check_header_value, parse_provider_url

UNUSABLE = [
    "localhost:11434/v1",
    "ftp://host/v1",
    "http://",
    "http:///v1",
    "http://host:99999/v1",
    "http://host:0/v1",
    "http://host:port/v1",
    "http://[::1/v1",
    "http://a..b/v1",
    "http://host/v1\n",
    "http://host/v 1",
    "http://ho\tst/v1",
    "http://host/v1#here",
    "http://host/v1/chat/completions",
    "http://host/v1/chat/completions/?api-version=1",
]


@pytest.mark.parametrize("url", UNUSABLE)
def test_an_unusable_base_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"^must ") as refusal:
        parse_provider_url(url)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("url", ["http://u:canary@h:canary/", "http://u:can ary@h/v1", "http://u:canary@[h/v1"])
def test_a_refusal_does_not_quote_the_url(url: str) -> None:
    with pytest.raises(ValueError) as refusal:  # noqa: PT011  # any message without the canary
        parse_provider_url(url)
    assert "can" not in str(refusal.value)


def test_path_and_query_are_kept_apart() -> None:
    azure = parse_provider_url("https://x.openai.azure.com/openai/deployments/gpt/?api-version=2024-10-21&a=%20b")
    assert azure.address == "https://x.openai.azure.com/openai/deployments/gpt"
    assert azure.query == {"api-version": "2024-10-21", "a": " b"}


def test_a_user_and_password_become_a_basic_login() -> None:
    url = parse_provider_url("http://user:p%40ss@[::1]:8000/v1")
    assert url == ProviderUrl(address="http://[::1]:8000/v1", authorization="Basic dXNlcjpwQHNz")
    assert "p%40ss" not in repr(url)
    assert "dXN" not in repr(url)


@pytest.mark.parametrize("value", ["sk-1\nX: 1", "sk-1\r", "sk-\u20ac", "sk-\u00e9", "sk-\x00", "sk-\u200b"])
def test_a_value_that_no_header_can_contain_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as refusal:
        check_header_value(value)
    assert "sk-" not in str(refusal.value)
