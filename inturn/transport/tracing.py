"""Propagation of the calling program's OpenTelemetry trace."""

import sys

TRACEPARENT = "traceparent"  # W3C trace context, the only propagation header that the service reads


def trace_headers() -> dict[str, str]:
    """Return the header for the current span, or nothing if the program has not loaded OpenTelemetry.

    Other propagated values, such as baggage, may be confidential and are not sent.
    """
    if "opentelemetry.trace" not in sys.modules:
        return {}
    from opentelemetry import propagate

    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    return {TRACEPARENT: carrier[TRACEPARENT]} if TRACEPARENT in carrier else {}
