"""Spans of OpenTelemetry, where it is installed and `OTEL_EXPORTER_OTLP_ENDPOINT` says where they go; else nothing.

One trace leads from the HTTP request through the worker to the model's call: the turn's record carries it across.
Install it with `pip install -r tools/requirements/otel.txt`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from turns.config.settings import Settings

_tracer: Any = None


def start_tracing(settings: Settings, *, role: str) -> None:
    """Spans of this process go to the collector from here on, if there is one."""
    global _tracer  # noqa: PLW0603  # one a process, as logs are; libraries that trace use the same
    if not settings.otel_endpoint:
        return
    from opentelemetry import trace  # noqa: PLC0415  # it is not always installed, and takes its time
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
    """Inside, a span is open; gives its `traceparent` for whoever goes on elsewhere, or `parent` where nobody traces.

    `parent` is a `traceparent`; without one the span belongs to the open one. In attributes, `__` stands for a dot.
    """
    if _tracer is None:
        yield parent
        return
    from opentelemetry.propagate import extract, inject  # noqa: PLC0415  # installed, else there were no tracer
    from opentelemetry.trace import SpanKind  # noqa: PLC0415

    within = extract({"traceparent": parent}) if parent else None
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    with _tracer.start_as_current_span(name, context=within, kind=SpanKind[kind], attributes=named):
        carrier: dict[str, str] = {}
        inject(carrier)
        yield carrier.get("traceparent")


def stop_tracing() -> None:
    """What was not sent yet has been, or is given up."""
    if _tracer is not None:
        from opentelemetry import trace  # noqa: PLC0415

        provider: Any = trace.get_tracer_provider()
        provider.shutdown()
