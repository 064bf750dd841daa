"""The messages about a provider's list of models at the start."""

import json
import socket
import threading
from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from supervisor.provider_check import Provider, ProviderCheck, State, ask, find_providers, judge
from tests.support.scripted_model import ScriptedModel
from turns.config.settings import Settings
from turns.domain.assistant import Assistant

KEY = "sk-canary"


def provider(*models: str, base_url: str = "http://user:secret@host/v1") -> Provider:
    return Provider(base_url=base_url, api_key=KEY, models=dict.fromkeys(models, "default"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    model = ScriptedModel(0)
    threading.Thread(target=model.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{model.server_port}/v1"
    model.shutdown()
    model.server_close()


def test_each_provider_is_asked_once_for_all_its_models() -> None:
    settings = Settings(openai_api_key=SecretStr(KEY), fallback_model="gpt-4o")
    assistants = [
        Assistant(name="default"),
        Assistant(name="cheap", model="small"),
        Assistant(name="elsewhere", base_url="http://other/v1", model="llama3.2"),
        Assistant(name="custom", chain="a:b", model="own"),
    ]
    first, second = find_providers(assistants, settings)
    assert (first.address, list(first.models)) == ("https://api.openai.com/v1", ["gpt-4o-mini", "gpt-4o", "small"])
    assert (second.address, second.api_key, list(second.models)) == ("http://other/v1", "", ["llama3.2"])
    assert find_providers(assistants[:1], Settings()) == [], "the offline model"


def test_a_provider_with_all_models_is_ready(url: str) -> None:
    found = ask(provider("gpt-4o-mini", "llama3.2", base_url=url))
    assert (found.state, str(found)) == (State.HAS_MODELS, f"{url} answers and has gpt-4o-mini, llama3.2")


def test_a_model_that_is_not_listed_gets_a_suggestion(url: str) -> None:
    found = ask(provider("gpt-4o-mni", base_url=url))
    assert found.state is State.UNKNOWN
    expected = f"{url} answers, but does not list gpt-4o-mni (assistant default); did you mean gpt-4o-mini?"
    assert str(found) == expected


@pytest.mark.parametrize(
    ("status", "body", "state", "observed"),
    [
        (401, b"{}", State.UNUSABLE, "refuses the API key (401 Unauthorized)"),
        (404, b"", State.UNKNOWN, "answers, but not with a list of models (404 Not Found)"),
        (599, b"", State.UNKNOWN, "answers, but not with a list of models (599)"),
        (200, b"<html>", State.UNKNOWN, "answers, but not with a list of models (200 OK)"),
        (200, b'{"data": [1, {"id": 2}, {"id": "a\\u001b[31m"}]}', State.UNKNOWN, "not with a list of models"),
        (200, b"[" * 100_000, State.UNKNOWN, "not with a list of models"),
    ],
)
def test_other_responses_are_described(status: int, body: bytes, state: State, observed: str) -> None:
    found = judge(provider("m"), status, body)
    assert found.state is state
    assert observed in str(found)


def test_no_secret_is_shown() -> None:
    echoed = json.dumps({"error": {"message": f"Incorrect API key provided: {KEY}"}}).encode()
    unreachable = ask(provider("m", base_url="http://user:secret@127.0.0.1:9/v1?api-key=secret"))
    for found in (judge(provider("m"), 401, echoed), unreachable):
        assert "secret" not in str(found)
        assert "canary" not in str(found)
    assert str(unreachable).startswith("http://127.0.0.1:9/v1 does not answer (Connection refused); check OPENAI_BASE")


def test_a_silent_provider_does_not_delay_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.provider_check.CHECK_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = Settings(openai_base_url=f"http://127.0.0.1:{silent.getsockname()[1]}/v1")
        [found] = ProviderCheck([Assistant(name="default")], settings).findings()
    assert (found.state, "has not answered within 0.2 s" in found.observed) == (State.UNUSABLE, True)
