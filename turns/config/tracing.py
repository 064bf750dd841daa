"""OpenTelemetry spans, sent to `OTEL_EXPORTER_OTLP_ENDPOINT`; without that setting, tracing is off.

One trace spans the HTTP request, the worker's run and the model's call; the turn's record carries the trace context
from web to worker. Install OpenTelemetry with `pip install -r tools/requirements/otel.txt`.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from turns.config.settings import Settings
from turns.config.version import VERSION

Attributes: TypeAlias = Mapping[str, str | int]

_tracer: Any = None


def start_tracing(settings: Settings, *, role: str) -> None:
    """Send the spans of this process to the collector, if one is configured."""
    global _tracer  # noqa: PLW0603  # one per process, like OpenTelemetry's own tracer provider
    if not settings.otel_endpoint:
        return
    from opentelemetry import trace  # noqa: PLC0415  # optional, and slow to import
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    provider = TracerProvider(resource=Resource.create(describe_process(role, os.environ)))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otel_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("inturn", VERSION)


def describe_process(role: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the attributes of the resource; a service name of the environment replaces `inturn-<role>`."""
    attributes = {"service.version": VERSION, "inturn.role": role}
    given = environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    names = {pair.partition("=")[0].strip() for pair in given.split(",")}
    if not environment.get("OTEL_SERVICE_NAME") and "service.name" not in names:
        attributes["service.name"] = f"inturn-{role}"
    return attributes


def is_tracing() -> bool:
    return _tracer is not None


@contextmanager
def span(
    name: str, attributes: Attributes, *, parent: str | None = None, kind: str = "INTERNAL"
) -> Iterator[str | None]:
    """Open a span for the block; yield its `traceparent`, or `parent` if tracing is off.

    `parent` is a `traceparent` from another process; without one, the parent is the open span. An exception is not
    recorded, because its text may quote a conversation; use `mark_failed`.
    """
    if _tracer is None:
        yield parent
        return
    from opentelemetry.propagate import extract, inject  # noqa: PLC0415  # installed, since there is a tracer
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    context = extract({"traceparent": parent}) if parent else None
    with _tracer.start_as_current_span(
        name,
        context=context,
        kind=SpanKind[kind],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ):
        carrier: dict[str, str] = {}
        inject(carrier)
        yield carrier.get("traceparent")


def set_attributes(attributes: Attributes) -> None:
    """Add attributes to the open span."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        trace.get_current_span().set_attributes(attributes)


def mark_failed(error_type: str) -> None:
    """Mark the open span as failed. `error_type` is a code or the name of a class, never a text."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        opened = trace.get_current_span()
        opened.set_attribute("error.type", error_type)
        opened.set_status(trace.StatusCode.ERROR, error_type)


def stop_tracing() -> None:
    """Send the remaining spans, within the exporter's time limit."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()
