"""The code of a provider's error response, in the words of different servers, and the cause of a failed connection."""

import socket
import ssl
from typing import Any

import httpx2
import openai
import pytest

from turns.domain.errors import ModelError, ModelErrorKind
from worker.provider.failures import to_model_error

REQUEST = httpx2.Request("POST", "http://models.example/v1/chat/completions")

RESPONSES: list[tuple[int, Any, str]] = [
    (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, "context_too_long"),
    (400, {"error": {"message": "x", "type": "exceed_context_size_error", "code": 400}}, "context_too_long"),
    (400, {"object": "error", "message": "maximum context length is 4096 tokens", "code": 400}, "context_too_long"),
    (400, {"error": {"message": "litellm.ContextWindowExceededError: x", "code": "400"}}, "context_too_long"),
    (400, {"error": {"message": "prompt is too long: 9 tokens > 8 maximum"}}, "context_too_long"),
    (422, {"error": "`inputs` tokens + `max_new_tokens` must be <= 4096", "error_type": "v"}, "context_too_long"),
    (413, {"error": {"message": "Request too large", "code": "rate_limit_exceeded"}}, "context_too_long"),
    (413, {}, "context_too_long"),
    (402, {"error": {"message": "no", "code": 402}}, "provider_quota"),
    (402, {}, "provider_quota"),
    (429, {"error": {"message": "x", "type": "insufficient_quota", "code": None}}, "provider_quota"),
    (429, {"error": {"message": "You exceeded your current quota", "code": None}}, "provider_quota"),
    (429, {"error": {"message": "You exceeded your current quota. Please retry in 9 s"}}, "provider_rate_limited"),
    (403, {"error": {"message": "Insufficient balance"}}, "provider_quota"),
    (400, {"error": {"message": "Your credit balance is too low", "type": "x"}}, "provider_quota"),
    (429, {"error": {"message": "Too many input tokens"}}, "provider_rate_limited"),
    (429, {}, "provider_rate_limited"),
    (404, {"error": {"message": "no model `x`", "code": "model_not_found"}}, "provider_model_not_found"),
    (404, {"object": "error", "message": "The model `x` does not exist.", "type": "NotFoundError"},
     "provider_model_not_found"),
    (404, {"error": {"message": 'model "x" not found, try pulling it first'}}, "provider_model_not_found"),
    (400, {"error": {"message": "x is not a valid model ID", "code": 400}}, "provider_model_not_found"),
    (410, {"error": {"message": "x", "code": "model_retired"}}, "provider_model_not_found"),
    (404, {"error": {"message": "x", "code": "DeploymentNotFound"}}, "provider_model_not_found"),
    (404, {"detail": "Not Found"}, "provider_rejected"),
    (400, {"error": {"message": "x", "innererror": {"code": "ResponsibleAIPolicyViolation"}}}, "content_filtered"),
    (403, {"error": {"message": "Your input was flagged", "code": 403}}, "content_filtered"),
    (400, {"error": {"message": "'max_tokens' is not supported with this model"}}, "provider_rejected"),
    (400, {"error": {"message": "Unrecognized request argument: stream_options"}}, "provider_rejected"),
    (400, {"error": {"message": "x", "code": ["a"]}}, "provider_rejected"),
    (400, "bad", "provider_rejected"),
    (400, {"error": {"message": "API key not valid", "status": "INVALID_ARGUMENT"}}, "provider_authentication"),
    (401, {}, "provider_authentication"),
    (425, {}, "provider_error"),
    (500, {"error": {"message": "x", "code": {"a": 1}}}, "provider_error"),
]  # fmt: skip


def respond(status: int, body: Any) -> ModelError:
    """Return the error of a turn whose provider answers this."""
    client = openai.OpenAI(api_key="sk-1", base_url="http://models.example/v1", max_retries=0)
    answer = httpx2.Response(status, json=body)
    replay = httpx2.Client(transport=httpx2.MockTransport(lambda _: answer))
    with replay, client.with_options(http_client=replay) as replayed, pytest.raises(openai.APIError) as caught:
        replayed.chat.completions.create(model="m", messages=[])
    client.close()
    error = to_model_error(caught.value)
    assert error is not None
    return error


@pytest.mark.parametrize(("status", "body", "code"), RESPONSES)
def test_each_response_has_the_code_of_what_it_means(status: int, body: Any, code: str) -> None:
    error = respond(status, body)
    is_hopeless = code not in {"provider_error", "provider_rate_limited"}
    assert (error.code, error.kind is ModelErrorKind.HOPELESS) == (code, is_hopeless)
    assert (str(status) in str(error), error.provider_status) == (True, status)


def test_the_log_has_no_text_of_the_provider() -> None:
    error = respond(400, {"error": {"message": "sk-canary", "code": "the conversation: sk-canary"}})
    assert "canary" not in str(error)


def test_the_log_names_the_refused_fields_of_the_request() -> None:
    error = respond(400, {"error": {"message": "sk-canary: stream_options is unknown, max_tokens_x too"}})
    assert str(error) == "BadRequestError 400; the provider names stream_options"


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (socket.gaierror(-2, "Name or service not known"), "name resolution"),
        (ConnectionRefusedError(111, "Connection refused"), "refused"),
        (ssl.SSLCertVerificationError(1, "self-signed certificate"), "certificate"),
        (ssl.SSLError(1, "wrong version number"), "TLS"),
        (TimeoutError("timed out"), "timeout"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection"),
        (httpx2.ProxyError("407 Proxy Authentication Required"), "proxy"),
    ],
)
def test_the_cause_of_a_connection_error_is_named(cause: Exception, words: str) -> None:
    error = openai.APIConnectionError(request=REQUEST)
    error.__cause__ = cause
    known = to_model_error(error)
    assert known is not None
    assert f"OpenAIConnectionError: {words}: " in str(known).replace("APIConnectionError", "OpenAIConnectionError")
