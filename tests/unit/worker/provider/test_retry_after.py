"""Test the forms in which providers say when to ask again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.provider.retry_after import find_retry_after

NOW = 1_750_000_000.0  # 2025-06-15 15:06:40 UTC
GOOGLE = {
    "code": 429,
    "status": "RESOURCE_EXHAUSTED",
    "message": "You exceeded your current quota.",
    "details": [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaId": "PerMinute"}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "34.5s"},
    ],
}

HEADERS: list[tuple[dict[str, str], float | None]] = [
    ({"Retry-After": "7"}, 7),
    ({"retry-after": "0.5"}, 0.5),
    ({"retry-after": "0"}, 0),
    ({"retry-after": "-3"}, 0),
    ({"retry-after": "20s"}, 20),
    ({"retry-after": "Sun, 15 Jun 2025 15:07:10 GMT"}, 30),
    ({"retry-after": "Sun, 15 Jun 2025 15:06:00 GMT"}, 0),
    ({"retry-after": "2025-06-15T15:07:10Z"}, 30),
    ({"retry-after": "soon"}, None),
    ({"retry-after": "nan"}, None),
    ({"retry-after": "inf"}, None),
    ({"retry-after": ""}, None),
    ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5),
    ({"x-ms-retry-after-ms": "250"}, 0.25),
    ({"llm_provider-retry-after": "60"}, 60),
    ({"LLM-Provider-Retry-After": "60"}, 60),
    ({"x-ratelimit-reset-requests": "6m0s"}, 360),
    ({"x-ratelimit-reset-requests": "1h2m3.5s"}, 3723.5),
    ({"x-ratelimit-reset-tokens": "20ms"}, 0.02),
    ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "2m"}, 120),
    (
        {
            "x-ratelimit-reset-requests": "1s",
            "x-ratelimit-remaining-requests": "0",
            "x-ratelimit-reset-tokens": "2m",
            "x-ratelimit-remaining-tokens": "900",
        },
        1,
    ),
    ({"x-ratelimit-reset-tokens": "2m", "x-ratelimit-remaining-tokens": "900"}, None),
    ({"x-ratelimit-reset": "1750000012"}, 12),
    ({"x-ratelimit-reset": "1750000012000"}, 12),
    ({"ratelimit-reset": "9"}, 9),
    ({"anthropic-ratelimit-requests-reset": "2025-06-15T15:07:10Z"}, 30),
    ({"retry-after": "3", "x-ratelimit-reset-requests": "6m0s"}, 3),
    ({"content-type": "application/json"}, None),
]

BODIES: list[tuple[Any, float | None]] = [
    ({"message": "Rate limit reached. Please try again in 1.2s. Visit https://x for 3 more."}, 1.2),
    ({"message": "Please try again in 6m0s."}, 360),
    ({"message": "try again in 20ms"}, 0.02),
    ({"message": "Try again in 8 seconds"}, 8),
    ({"message": "Please retry after 5 minutes, 10 seconds."}, 310),
    ({"message": "Please retry in 34.074824224s."}, 34.074824224),
    ({"message": "Please wait 1 hour before the next request"}, 3600),
    ({"message": "Retry after 20 tokens"}, None),
    ({"message": "Limit 3, used 3. Contact us in 2 days."}, None),
    ("slow down, retry in 3s", 3),
    (GOOGLE, 34.5),
    ([{"error": GOOGLE}], 34.5),
    ({"details": [{"retryDelay": {"seconds": "12"}}]}, 12),
    ({"retry_after": 5}, 5),
    ({"metadata": {"retry_after_ms": 700}}, 0.7),
    ({"retryAfter": "4"}, 4),
    ({"retry_after": None}, None),
    ({"retry_after": True}, None),
    ({"metadata": {"headers": {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1750000060000"}}}, 60),
    ({"metadata": {"headers": {"Retry-After": "2"}, "raw": "try again in 9s"}}, 2),
    (None, None),
    (True, None),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12) | st.just("retry_after"), inner),
    max_leaves=20,
)


@pytest.mark.parametrize(("headers", "seconds"), HEADERS, ids=[str(headers) for headers, _ in HEADERS])
def test_a_header_names_the_delay(headers: dict[str, str], seconds: float | None) -> None:
    assert find_retry_after(headers, None, now=NOW) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("body", "seconds"), BODIES, ids=[str(body)[:60] for body, _ in BODIES])
def test_the_body_names_the_delay(body: Any, seconds: float | None) -> None:
    assert find_retry_after({}, body, now=NOW) == (None if seconds is None else pytest.approx(seconds))


def test_a_header_is_more_exact_than_the_message() -> None:
    headers = {"retry-after": "2", "x-ratelimit-reset-tokens": "9s"}
    assert find_retry_after(headers, {"message": "try again in 1.5s"}, now=NOW) == 2
    assert find_retry_after({**headers, "retry-after": "?"}, {"message": "try again in 1.5s"}, now=NOW) == 1.5


@given(st.dictionaries(st.text(max_size=12) | st.just("retry-after"), st.text(max_size=20)), JSON)
def test_no_error_breaks_the_search(headers: dict[str, str], body: Any) -> None:
    delay = find_retry_after(headers, body, now=NOW)
    assert delay is None or 0 <= delay < float("inf")
