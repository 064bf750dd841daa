"""A wrong setting is reported in one line with its name and its rule, in plain words."""

import re

import pytest

from turns.config import contradictions
from turns.config.environment import read_settings
from turns.config.settings import Settings, variables
from turns.domain.errors import ConfigurationError

WRONG = {
    "PORT": "0",
    "WORKERS": "many",
    "REDIS_URL": "http://127.0.0.1",
    "INTURN_CONCURRENCY": "-1",
    "INTURN_LEASE_SECONDS": "soon",
    "INTURN_POOL": "asyncio",
    "INTURN_PLACEMENT": "node",
    "INTURN_NAMESPACE": "a b",
    "INTURN_HISTORY": "files",
    "INTURN_FILES": "/var/lib/inturn",
    "INTURN_LOG_LEVEL": "loud",
    "INTURN_LOG_FORMAT": "xml",
    "INTURN_REQUIRE_KEYS": "maybe",
    "INTURN_MODEL": "",
    "INTURN_REPLICAS": "2",
    "INTURN_CORS_ORIGINS": "app.example",
}


def read_error(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> str:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as error:
        read_settings()
    return str(error.value)


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_setting_has_one_line_in_plain_words(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    error = read_error(monkeypatch, name, WRONG[name])
    assert error.startswith(f"{name}: ")
    assert "\n" not in error
    assert not re.search(r"[\^$\\]|should|Input|String|parse", error)


def test_every_pattern_of_a_setting_has_a_rule_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    patterns = [
        name for name, field in Settings.model_fields.items() if any(hasattr(m, "pattern") for m in field.metadata)
    ]
    assert len(patterns) > 3
    for name in patterns:
        with monkeypatch.context() as patch:
            assert "must be " in read_error(patch, variables()[name], "\u20ac")


def test_the_embedded_store_cannot_have_replicas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "set REDIS_URL" in read_error(monkeypatch, "INTURN_REPLICAS", "1")
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1")
    assert read_settings().replicas == 1


def test_traces_need_the_package_that_sends_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenTelemetry's API is installed with other packages, and alone it sends nothing."""
    monkeypatch.setattr(contradictions, "_is_installed", lambda name: name == "opentelemetry")
    assert "is not installed" in read_error(monkeypatch, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
