"""A call names the span in which it is made, and nothing where there is none."""

import httpx2
from opentelemetry import baggage, context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context, use_span

from inturn.protocol import requests
from inturn.transport.http import build

SPAN = SpanContext(trace_id=0x4BF92F3577B34DA6A3CE929D0E0E4736, span_id=0xF067AA0BA902B7, is_remote=False)
CALLS = (requests.submit({"session_id": "s", "input": "hello"}, key="k"), requests.read_turn("turn_1", wait_seconds=3))


def headers(call: requests.Call) -> httpx2.Headers:
    with httpx2.Client(base_url="http://127.0.0.1:1") as client:
        return build(client, call).headers


def test_a_call_names_the_span_in_which_it_is_made() -> None:
    sampled = SpanContext(SPAN.trace_id, SPAN.span_id, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    with use_span(NonRecordingSpan(sampled)):
        for call in CALLS:
            assert headers(call)["traceparent"] == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_without_a_span_nothing_is_said() -> None:
    for call in CALLS:
        assert "traceparent" not in headers(call)


def test_what_else_the_program_propagates_stays_at_home() -> None:
    token = context.attach(baggage.set_baggage("customer", "secret", set_span_in_context(NonRecordingSpan(SPAN))))
    try:
        said = headers(CALLS[0])
    finally:
        context.detach(token)
    assert "traceparent" in said
    assert "secret" not in str(said)
