"""Requests carry the trace context of the current span."""

import httpx2
from opentelemetry import baggage, context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context, use_span

from inturn.protocol import requests
from inturn.transport.http import build_request

SPAN = SpanContext(trace_id=0x4BF92F3577B34DA6A3CE929D0E0E4736, span_id=0xF067AA0BA902B7, is_remote=False)
REQUESTS = (
    requests.submit_turn({"session_id": "s", "input": "hello"}, key="k"),
    requests.get_turn("turn_1", wait_seconds=3),
)


def headers(request: requests.Request) -> httpx2.Headers:
    with httpx2.Client(base_url="http://127.0.0.1:1") as client:
        return build_request(client, request).headers


def test_a_request_carries_the_current_span() -> None:
    sampled = SpanContext(SPAN.trace_id, SPAN.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    with use_span(NonRecordingSpan(sampled)):
        for request in REQUESTS:
            assert headers(request)["traceparent"] == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_without_a_span_no_header_is_sent() -> None:
    for request in REQUESTS:
        assert "traceparent" not in headers(request)


def test_baggage_is_not_sent() -> None:
    token = context.attach(baggage.set_baggage("customer", "secret", set_span_in_context(NonRecordingSpan(SPAN))))
    try:
        sent = headers(REQUESTS[0])
    finally:
        context.detach(token)
    assert "traceparent" in sent
    assert "secret" not in str(sent)
