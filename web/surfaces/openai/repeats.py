"""The idempotency key of a request, also for a client that sends none and repeats requests by itself."""

import hashlib

from flask import g, request

from web.http.validation import parse_idempotency_key
from web.services import Services

RETRY_COUNT = "X-Stainless-Retry-Count"  # OpenAI's clients send it with each request, 0 with the first one


def digest_of(body: bytes) -> str:
    """Return a digest of the present request: its caller, and each byte that has an effect."""
    parts = (g.caller.tenant, g.caller.key_id or "", request.path)
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + body).hexdigest()


def find_key(services: Services, digest: str, *, held_seconds: float) -> str | None:
    """Return the idempotency key of the present request, which may be held for this time. Raises `InvalidRequest`."""
    sent, count = request.headers.get("Idempotency-Key"), request.headers.get(RETRY_COUNT, "")
    if sent is None and count.isdecimal():
        return services.retries.find_key(digest, is_retry=int(count) > 0, seconds=held_seconds)
    return parse_idempotency_key(sent)
