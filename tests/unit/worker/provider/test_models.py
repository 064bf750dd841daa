"""The thin client and the doctor send their request to the address to which OpenAI's client sends it."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError, ModelError
from turns.domain.model_parameters import MaxTokensName, ModelParameters
from worker import probe
from worker.provider.completions import Completions
from worker.provider.failures import check_finish
from worker.provider.models import OfflineModel, build_model, with_response_format

CHUNKS = [
    {"choices": [{"index": 0, "delta": {"content": "Hello"}, "finish_reason": None}]},
    {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
]
BODY = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in CHUNKS) + b"data: [DONE]\n\n"


class Recorder(ThreadingHTTPServer):
    """A provider, or a proxy, that records the request line, the host and the login of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RecordingHandler)
        self.requests: list[tuple[str, str | None, str | None]] = []
        self.bodies: list[dict[str, Any]] = []
        self.host = f"127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()


class RecordingHandler(BaseHTTPRequestHandler):
    server: Recorder

    def do_POST(self) -> None:
        self.server.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.server.requests.append((self.path, self.headers["Host"], self.headers["Authorization"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def provider() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server
        server.shutdown()


@pytest.fixture
def proxy() -> Iterator[Recorder]:
    with Recorder() as server:
        yield server
        server.shutdown()


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def ask(base_url: str, *, stock: bool, **parameters: Any) -> Any:
    """Ask the model once and return its client."""
    settings = Settings(openai_base_url=base_url, openai_api_key="sk-1", stock_client=stock)
    model: Any = build_model(settings, ModelParameters(**parameters))
    assert "".join(chunk.content for chunk in model.stream("Hello")) == "Hello"
    client = model.client
    model.root_client.close()
    if isinstance(client, Completions):
        client.close()
    return client


@pytest.mark.parametrize(
    ("base_url", "path", "login"),
    [
        ("http://{host}/v1", "/v1/chat/completions", "Bearer sk-1"),
        ("http://{host}/v1/", "/v1/chat/completions", "Bearer sk-1"),
        ("http://{host}", "/chat/completions", "Bearer sk-1"),
        ("http://{host}/a%20b/é", "/a%20b/%C3%A9/chat/completions", "Bearer sk-1"),
        ("http://{host}/deployments/x?api-version=1", "/deployments/x/chat/completions?api-version=1", "Bearer sk-1"),
        ("http://{host}/x/?a=b%20c&d=", "/x/chat/completions?a=b+c&d=", "Bearer sk-1"),
        ("http://user:p%40ss@{host}/v1", "/v1/chat/completions", "Basic dXNlcjpwQHNz"),
        ("HTTP://{host}/v1", "/v1/chat/completions", "Bearer sk-1"),
    ],
)
def test_both_clients_send_the_same_request(provider: Recorder, base_url: str, path: str, login: str) -> None:
    url = base_url.format(host=provider.host)
    assert ask(url, stock=False).is_direct
    ask(url, stock=True)
    thin, stock = provider.requests
    assert thin == stock
    assert thin[1:] == (provider.host, login)
    assert thin[0].replace("%20", "+") == path.replace("%20", "+")


@pytest.mark.parametrize(
    ("parameters", "sent"),
    [
        ({}, {"stream_options": {"include_usage": True}}),
        ({"stream_options": False}, {}),
        ({"max_tokens": 7, "stream_options": False}, {"max_completion_tokens": 7}),
        ({"max_tokens": 7, "max_tokens_name": MaxTokensName.MAX_TOKENS, "stream_options": False}, {"max_tokens": 7}),
        ({"temperature": 0.5, "top_p": 0.9, "stream_options": False}, {"temperature": 0.5, "top_p": 0.9}),
        ({"stop": ("a", "b"), "stream_options": False}, {"stop": ["a", "b"]}),
        (
            {"response_format": {"type": "json_object"}, "extra": {"top_k": 3}, "stream_options": False},
            {"response_format": {"type": "json_object"}, "top_k": 3},
        ),
    ],
)
def test_both_clients_send_the_parameters(provider: Recorder, parameters: dict[str, Any], sent: dict[str, Any]) -> None:
    url = f"http://{provider.host}/v1"
    assert ask(url, stock=False, **parameters).is_direct
    ask(url, stock=True, **parameters)
    thin, stock = provider.bodies
    assert thin == stock
    assert {name: value for name, value in thin.items() if name not in {"messages", "model", "stream"}} == sent
    assert [request[0] for request in provider.requests] == ["/v1/chat/completions"] * 2


def test_a_turns_own_form_replaces_that_of_its_assistant() -> None:
    model: Any = build_model(
        Settings(openai_base_url="http://127.0.0.1:9/v1"),
        ModelParameters(extra={"top_k": 3}, response_format={"type": "json_object"}),
    )
    form = {"type": "json_schema"}
    changed: Any = with_response_format(model, form)
    assert (changed.extra_body, changed.client) == ({"top_k": 3, "response_format": form}, model.client)
    assert model.extra_body == {"top_k": 3, "response_format": {"type": "json_object"}}
    plain: Any = with_response_format(model, {"type": "text"})
    assert plain.extra_body == {"top_k": 3}
    offline = OfflineModel()
    assert with_response_format(offline, form) is offline


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "OPENAI_PROXY"])
def test_a_proxy_for_the_provider_is_used(monkeypatch: pytest.MonkeyPatch, proxy: Recorder, name: str) -> None:
    monkeypatch.setenv(name, f"http://{proxy.host}")
    ask("http://provider.invalid/v1", stock=False)
    assert proxy.requests[0][:2] == ("http://provider.invalid/v1/chat/completions", "provider.invalid")


@pytest.mark.parametrize("name", ["NO_PROXY", "no_proxy"])
@pytest.mark.parametrize("exempt", ["127.0.0.1", "example.com, 127.0.0.1", "*"])
def test_a_provider_exempt_from_proxies_is_called_directly(
    monkeypatch: pytest.MonkeyPatch, provider: Recorder, proxy: Recorder, name: str, exempt: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://{proxy.host}")
    monkeypatch.setenv(name, exempt)
    assert ask(f"http://{provider.host}/v1", stock=False).is_direct
    assert (len(provider.requests), proxy.requests) == (1, [])


def test_a_network_without_proxies_is_left_to_openai_s_client(
    monkeypatch: pytest.MonkeyPatch, provider: Recorder, proxy: Recorder
) -> None:
    monkeypatch.setenv("ALL_PROXY", f"http://{proxy.host}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.0/8")
    assert not ask(f"http://{provider.host}/v1", stock=False).is_direct


@pytest.mark.parametrize("proxy_url", ["nonsense://canary@proxy", "ftp://canary@proxy"])
@pytest.mark.parametrize("stock", [True, False])
def test_a_client_that_cannot_be_created_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, proxy_url: str, stock: bool
) -> None:
    monkeypatch.setenv("ALL_PROXY", proxy_url)
    with pytest.raises(ConfigurationError, match=r"OPENAI_\*, \*_PROXY") as error:
        build_model(Settings(openai_api_key="sk-canary", stock_client=stock))
    assert "canary" not in str(error.value)
    assert error.value.__suppress_context__


def test_a_key_that_cannot_be_sent_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError) as error:
        build_model(Settings(openai_api_key="sk-canary\u20ac"))
    assert "canary" not in str(error.value)


def test_the_doctor_asks_as_a_worker_does(monkeypatch: pytest.MonkeyPatch, provider: Recorder) -> None:
    url = f"http://{provider.host}/v1/?api-version=1"
    ask(url, stock=False)
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-1\n")
    assert probe.main() == 0
    assert provider.requests[0] == provider.requests[1]
    turn, asked = provider.bodies
    assert asked == {**turn, "max_completion_tokens": 1}
    assert asked["stream_options"] == {"include_usage": True}


def test_the_doctor_asks_once_for_each_kind_of_request(
    monkeypatch: pytest.MonkeyPatch, provider: Recorder, tmp_path: Path
) -> None:
    file = tmp_path / "assistants.toml"
    file.write_text(
        "[assistants.a]\nsystem = 'x'\n[assistants.b]\nmax_tokens = 9\n"
        "[assistants.c]\nmax_tokens_name = 'max_tokens'\nstream_options = false\nextra.top_k = 3\n"
    )
    for name, value in (("INTURN_ASSISTANTS", str(file)), ("OPENAI_BASE_URL", f"http://{provider.host}/v1")):
        monkeypatch.setenv(name, value)
    assert probe.main() == 0
    ab, c = provider.bodies
    assert (ab["max_completion_tokens"], "stream_options" in ab) == (1, True)
    assert (c["max_tokens"], c["top_k"], "stream_options" in c) == (1, 3, False)


@pytest.mark.parametrize("reason", ["fertig", "FERTIG"])
def test_a_finish_reason_of_the_assistant_is_accepted(reason: str) -> None:
    check_finish(reason, "text", ("fertig",))
    for wrong in ((reason, "text", ()), (reason, "", ("fertig",)), (["fertig"], "text", ("fertig",))):
        with pytest.raises(ModelError) as error:
            check_finish(*wrong)
        assert error.value.code == "provider_protocol"


@pytest.mark.parametrize(
    ("url", "code"), [("http://127.0.0.1:1/v1", "provider_unreachable (OpenAIConnectionError: refused: ")]
)
def test_the_doctor_names_the_reason(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], url: str, code: str
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
    assert probe.main() == 1
    printed = capsys.readouterr().out
    assert printed.startswith(code)
    assert "Connection refused" in printed
    assert "canary" not in printed
