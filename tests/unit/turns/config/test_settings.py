import subprocess
import sys
from pathlib import Path

import pytest

from turns.config.contradictions import find_contradictions
from turns.config.environment import read_secret, read_settings
from turns.config.settings import MAX_SOCKET_PATH_BYTES, Settings
from turns.domain.errors import ConfigurationError


def test_the_defaults_are_offline_and_local() -> None:
    settings = read_settings()
    assert settings.is_offline
    assert settings.host == "127.0.0.1"


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8080")
    monkeypatch.setenv("INTURN_LEASE_SECONDS", "9")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")
    settings = read_settings()
    assert (settings.port, settings.lease_seconds, settings.renew_seconds) == (8080, 9, 3)
    assert not settings.is_offline


def test_variables_may_be_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("inturn_lease_seconds", "9")
    assert read_settings().lease_seconds == 9


@pytest.mark.parametrize("name", ["INTURN_LEASE_SECOND", "inturn_lease_second"])
def test_a_misspelt_name_is_refused_with_a_suggestion(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "9")
    with pytest.raises(ConfigurationError, match=r"INTURN_LEASE_SECOND: .* did you mean INTURN_LEASE_SECONDS"):
        read_settings()


def test_the_client_s_variables_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTURN_URL", "http://127.0.0.1:8000")
    monkeypatch.setenv("INTURN_API_KEY", "inturn_x")
    assert read_settings() == Settings()


def test_all_errors_are_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "eighty")
    monkeypatch.setenv("INTURN_POOL", "prefork")
    monkeypatch.setenv("INTURN_NONSENSE", "1")
    with pytest.raises(ConfigurationError) as error:
        read_settings()
    lines = str(error.value).splitlines()
    assert len(lines) == 3
    assert {line.partition(":")[0] for line in lines} == {"PORT", "INTURN_POOL", "INTURN_NONSENSE"}


@pytest.mark.parametrize("name", ["result_ttl_seconds", "session_ttl_seconds", "reserved_tokens", "history_window"])
def test_numbers_too_large_for_the_store_are_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"INTURN_{name.upper()}", str(10**16))
    with pytest.raises(ConfigurationError, match=f"INTURN_{name.upper()}.*less than or equal to 1000000000"):
        read_settings()


def test_the_repr_hides_secrets() -> None:
    settings = Settings(openai_api_key="sk-canary")
    assert "sk-canary" not in repr(settings)


def test_the_socket_s_path_is_short_in_any_data_directory() -> None:
    near, deep = Settings(data_dir=Path("/tmp/x")), Settings(data_dir=Path("/tmp") / ("d" * 200))  # noqa: S108  # only names
    assert near.embedded_socket == Path("/tmp/x/store.sock")  # noqa: S108
    assert len(str(deep.embedded_socket)) <= MAX_SOCKET_PATH_BYTES
    assert deep.embedded_socket == Settings(data_dir=Path("/tmp") / ("d" * 200)).embedded_socket  # noqa: S108


def test_the_embedded_store_is_known_by_its_url_too() -> None:
    alone = Settings(data_dir=Path("data"))
    below_supervisor = Settings(data_dir=Path("data"), redis_url=alone.store_url)  # as `make up` passes it on
    elsewhere = Settings(data_dir=Path("data"), redis_url="redis://127.0.0.1")
    assert [each.uses_embedded_store for each in (alone, below_supervisor, elsewhere)] == [True, True, False]


@pytest.mark.parametrize("url", ["http://x", "localhost:6379", "redis://x:y", "sentinel://x:1", "sentinel:///name"])
def test_an_invalid_store_url_is_refused(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(ConfigurationError, match="REDIS_URL: "):
        read_settings()


def test_the_settings_can_be_read_before_gevent_patches() -> None:
    code = "import gevent.monkey, turns.config.environment as e; e.read_settings(); gevent.monkey.patch_all()"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


@pytest.mark.parametrize("key", ["sk-canary\n", " sk-canary", "sk-canary\r\n", "\tsk-canary\u00a0"])
def test_white_space_around_a_key_is_removed(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("OPENAI_BASE_URL", " http://127.0.0.1:1/v1\n")
    monkeypatch.setenv("MY_KEY", key)
    settings = read_settings()
    assert settings.openai_api_key.get_secret_value() == read_secret("MY_KEY").get_secret_value() == "sk-canary"
    assert settings.openai_base_url == "http://127.0.0.1:1/v1"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_API_KEY", "sk-canary\nX: y"),
        ("OPENAI_API_KEY", "sk-canary\u20ac"),
        ("OPENAI_BASE_URL", "http://user:canary@host:99999/v1"),
        ("OPENAI_BASE_URL", "http://user:canary@[::1/v1"),
        ("OPENAI_API_BASE", "http://user:canary@host/v1"),
        ("REDIS_URL", "redis://:canary#1@host/0"),
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("SSL_CERT_DIR", "/nowhere"),
        ("INTURN_ROOT_PATH", "chat"),
    ],
)
def test_a_setting_that_cannot_work_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=rf"^{name}: .*$") as error:
        read_settings()
    assert "canary" not in str(error.value)


def test_proxies_matter_only_if_a_provider_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "nonsense://proxy")
    assert read_settings().is_offline
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1")
    with pytest.raises(ConfigurationError, match=r"^ALL_PROXY: "):
        read_settings()


def test_langchain_s_name_of_the_base_url_may_repeat_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_BASE_URL", "OPENAI_API_BASE"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/v1")
    assert read_settings().openai_base_url == "http://127.0.0.1:1/v1"


def test_the_description_of_the_model_has_no_password() -> None:
    settings = Settings(openai_base_url="https://user:canary@host/v1?key=canary", model="m")
    assert settings.model_description == "m at https://host/v1"


@pytest.mark.parametrize("path", ["", "/chat", "/a/b-1", "/.well-known"])
def test_a_root_path_is_accepted(path: str) -> None:
    assert find_contradictions(Settings(root_path=path), {}) == []


@pytest.mark.parametrize("path", ["chat", "/", "/chat/", "/a//b", "/../a", "/a b", "/chat?", "/v1", "/static/x"])
def test_a_root_path_that_cannot_be_served_is_refused(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setenv("INTURN_ROOT_PATH", path)
    with pytest.raises(ConfigurationError, match=r"^INTURN_ROOT_PATH: must be a path such as /chat"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INTURN_TENANT_BACKLOG", "9"),
        ("INTURN_TENANT_CONCURRENCY", "9"),
        ("INTURN_TENANT_TURNS_PER_MINUTE", "9"),
        ("INTURN_TENANT_TOKENS_PER_DAY", "9"),
    ],
)
def test_limits_of_tenants_on_a_cluster_need_a_placement(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1")
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError, match=f"{name}: .* needs INTURN_PLACEMENT=tenant with rediscluster://"):
        read_settings()
    monkeypatch.setenv("INTURN_PLACEMENT", "tenant")
    assert name not in problems()
    monkeypatch.setenv("INTURN_PLACEMENT", "session")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    assert problems() == ""


def test_histories_in_files_are_refused_on_a_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1")
    monkeypatch.setenv("INTURN_HISTORY", "file:histories")
    assert "INTURN_HISTORY: histories in files need one primary" in problems()


@pytest.mark.parametrize(("percent", "is_refused"), [(None, False), ("100", False), ("90", True), ("50", True)])
def test_a_share_of_the_workers_is_refused_on_a_cluster(
    monkeypatch: pytest.MonkeyPatch, percent: str | None, is_refused: bool
) -> None:
    if percent:
        monkeypatch.setenv("INTURN_MAX_SHARE_PERCENT", percent)
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    assert problems() == ""
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1")
    assert ("INTURN_MAX_SHARE_PERCENT: " in problems()) is is_refused


def test_a_cluster_has_uploaded_files_only_where_told(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings(redis_url="rediscluster://127.0.0.1").files_directory is None
    assert Settings(redis_url="rediscluster://127.0.0.1", files="file:/f").files_directory == Path("/f")
    assert Settings(redis_url="rediscluster://127.0.0.1", files="s3:b").files_bucket == ("b", "")
    monkeypatch.setenv("REDIS_URL", "rediscluster://127.0.0.1")
    monkeypatch.setenv("INTURN_FILES", "file:uploads")
    assert problems() == ""


def test_only_a_cluster_has_partitions() -> None:
    assert Settings(redis_url="rediscluster://127.0.0.1?partitions=12").partitions == 12
    assert Settings(redis_url="redis://127.0.0.1").partitions == 0


def problems() -> str:
    """Return the errors of the environment, or '' if there are none."""
    try:
        read_settings()
    except ConfigurationError as error:
        return str(error)
    return ""
