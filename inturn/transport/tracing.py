"""The trace that a call belongs to, where the program that makes it has one."""

import sys

TRACEPARENT = "traceparent"  # W3C trace context; the service reads nothing else


def trace_headers() -> dict[str, str]:
    """Those that name the caller's span. A program that never loaded OpenTelemetry has no span, and does not load it.

    What else the program propagates, such as baggage, is none of the service's business.
    """
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import propagate

    said: dict[str, str] = {}
    propagate.inject(said)
    return {TRACEPARENT: said[TRACEPARENT]} if TRACEPARENT in said else {}
