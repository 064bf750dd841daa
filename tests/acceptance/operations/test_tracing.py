"""One trace from the HTTP request through the worker to the model's call, as a real collector gets it."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.processes import Stack, call, turn_request
from tests.support.waiting import wait_until

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Collector(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Export)
        self.spans: list[tuple[str, Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Export(BaseHTTPRequestHandler):
    server: Collector

    def log_message(self, *_: object) -> None:
        """Discard the access log."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [service] = [a.value.string_value for a in resource.resource.attributes if a.key == "service.name"]
            self.server.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    threading.Thread(target=collector.serve_forever, daemon=True).start()
    yield collector
    collector.shutdown()
    collector.server_close()


def values(span: Any) -> dict[str, Any]:
    """Return the attributes of a span, or of a resource, by name."""
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


def test_a_turn_is_one_trace(start: Callable[..., Stack], collector: Collector) -> None:
    stack = start(workers=1, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100")
    headers = {"traceparent": f"00-{TRACE}-{CALLER}-01"}
    turn = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "hello"), headers=headers).body
    stack.wait_until_finished(turn["id"])
    wait_until("all spans are there", lambda: len(collector.spans) == 3)
    spans = {(service, span.name): span for service, span in collector.spans}
    submitted = spans["inturn-web", "POST /v1/turns"]
    ran = spans["inturn-worker", "run_turn"]
    called = spans["inturn-worker", "chat gpt-4o-mini"]
    assert {span.trace_id.hex() for span in (submitted, ran, called)} == {TRACE}
    assert submitted.parent_span_id.hex() == CALLER
    assert ran.parent_span_id == submitted.span_id
    assert called.parent_span_id == ran.span_id
    assert (
        values(submitted).items()
        >= {
            "http.request.method": "POST",
            "http.route": "/v1/turns",
            "http.response.status_code": 202,
            "url.path": "/v1/turns",
            "url.scheme": "http",
        }.items()
    )
    assert values(ran)["inturn.turn.id"] == turn["id"]
    attributes = values(called)
    assert call(f"http://127.0.0.1:{attributes.pop('server.port')}/v1/models").status == 200
    assert attributes == {
        "gen_ai.conversation.id": "s",
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini",
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "gen_ai.usage.input_tokens": turn_usage(stack, turn)["input_tokens"],
        "gen_ai.usage.output_tokens": turn_usage(stack, turn)["output_tokens"],
        "server.address": "127.0.0.1",
    }


def turn_usage(stack: Stack, turn: dict[str, Any]) -> dict[str, int]:
    usage: dict[str, int] = call(f"{stack.url}/v1/turns/{turn['id']}").body["usage"]
    return usage


def test_failures_and_refusals_show_in_the_trace(start: Callable[..., Stack], collector: Collector) -> None:
    stack = start(
        workers=1,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_BSP_SCHEDULE_DELAY="100",
        OTEL_SERVICE_NAME="chat",
        INTURN_MAX_ATTEMPTS="1",
        INTURN_OUTAGE_PATIENCE_SECONDS="0",
    )
    assert call(f"{stack.url}/v1/turns", method="POST", body={"session_id": "s"}).status == 400
    turn = call(f"{stack.url}/v1/turns", method="POST", body=turn_request("s", "[fail 500]")).body
    stack.wait_until_finished(turn["id"])
    wait_until("all spans are there", lambda: len(collector.spans) == 4)
    assert {service for service, _ in collector.spans} == {"chat"}
    statuses = [values(span).get("http.response.status_code") for _, span in collector.spans]
    assert sorted(filter(None, statuses)) == [202, 400]
    for name in ("run_turn", "chat gpt-4o-mini"):
        [failed] = [span for _, span in collector.spans if span.name == name]
        assert failed.status.code == 2
        assert values(failed)["error.type"] == "provider_error"
        assert "canary" not in str(failed)
