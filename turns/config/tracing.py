"""OpenTelemetry spans, sent to `OTEL_EXPORTER_OTLP_ENDPOINT`; without that setting, tracing is off.

One trace spans the HTTP request, the worker's run and the model's call; the turn's record carries the trace context
from web to worker. Install OpenTelemetry with `pip install -r tools/requirements/otel.txt`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from turns.config.settings import Settings

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

    provider = TracerProvider(resource=Resource.create({"service.name": f"inturn-{role}"}))
    exporter = OTLPSpanExporter(endpoint=f"{settings.otel_endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)
    _tracer = provider.get_tracer("inturn")


@contextmanager
def span(name: str, *, parent: str | None = None, kind: str = "INTERNAL", **attributes: Any) -> Iterator[str | None]:
    """Open a span for the block; yield its `traceparent`, or `parent` if tracing is off.

    `parent` is a `traceparent` from another process; without one, the parent is the open span. In the names of
    attributes, `__` is replaced by a dot.
    """
    if _tracer is None:
        yield parent
        return
    from opentelemetry.propagate import extract, inject  # noqa: PLC0415  # installed, since there is a tracer
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    context = extract({"traceparent": parent}) if parent else None
    dotted = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, context=context, kind=SpanKind[kind], attributes=dotted):
        carrier: dict[str, str] = {}
        inject(carrier)
        yield carrier.get("traceparent")


def stop_tracing() -> None:
    """Send the remaining spans, within the exporter's time limit."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()
