"""Classify the failures of a provider for the retry policy."""

import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openai
from langchain_core.exceptions import ContextOverflowError

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from turns.response_format.check import CheckTookTooLong, find_problem
from worker.provider.http_client import is_proxied
from worker.provider.reported_errors import kind_of, to_reported_error
from worker.provider.request_ids import read_server_id
from worker.provider.retry_after import find_retry_after

REQUEST_FIELDS = ("max_completion_tokens", "max_tokens", "response_format", "stream_options", "temperature", "top_p")

# Only answers with these finish reasons may enter the history. A stream that breaks off has no reason.
COMPLETE = ("stop", "length")  # not a set, because a provider may send an unhashable value


def to_model_error(error: Exception) -> ModelError | None:
    """Classify an exception for the retry policy. Return None if it does not come from the provider."""
    match error:
        case ModelError():
            return error
        case openai.APITimeoutError():
            code = Code.PROVIDER_TIMEOUT
        case openai.APIConnectionError():
            code = Code.PROVIDER_UNREACHABLE
        case openai.APIError():
            return _from_reported(error)
        case ValueError() | IndexError() | TypeError() | AttributeError():  # from HTML, broken JSON, odd chunks
            code = Code.PROVIDER_PROTOCOL
        case _:
            return None
    return ModelError(code, ModelErrorKind.RETRYABLE, message=_describe(error))


def _from_reported(error: openai.APIError) -> ModelError:
    """Classify an error response, or an error event in the stream."""
    response = error.response if isinstance(error, openai.APIStatusError) else None
    headers = response.headers if response else {}
    if response:  # the client raised before the response could be read
        read_server_id(response.headers.raw)
    retry_after_seconds = find_retry_after(headers, error.body, now=time.time())
    reported = to_reported_error(error.body)
    status = response.status_code if response else None
    code = reported.code(status, is_refilled=retry_after_seconds is not None)
    if isinstance(error, ContextOverflowError) and code is Code.PROVIDER_REJECTED:
        code = Code.CONTEXT_TOO_LONG
    return ModelError(
        code,
        kind_of(code),
        message=_describe(error) + _fields_in(reported.message),
        retry_after_seconds=retry_after_seconds,
        provider_status=status or reported.status,
    )


def _describe(error: Exception) -> str:
    """Return a text for the log without the provider's message, which may quote the conversation or the API key."""
    if isinstance(error, openai.APIConnectionError):
        return f"{type(error).__name__}: {describe_cause(error)}"
    details = [getattr(error, name, None) for name in ("status_code", "code", "request_id")]
    words = [str(detail) for detail in details if isinstance(detail, str | int)]
    return " ".join([type(error).__name__, *(word for word in words if re.fullmatch(r"[\w.:-]{1,100}", word))])


def _fields_in(message: str) -> str:
    """Return the fields of our request that a message names, for the log; many servers refuse one of them."""
    named = [name for name in REQUEST_FIELDS if re.search(rf"\b{name}\b", message)]
    return f"; the provider names {', '.join(named)}" if named else ""


def describe_cause(error: openai.APIConnectionError) -> str:
    """Return why there was no connection. The texts of these errors come from this machine, not from the provider."""
    causes = list(_causes(error))
    cause = next((cause for cause in causes if isinstance(cause, OSError)), causes[-1] if causes else error)
    uses_proxy = is_proxied(str(error.request.url)) or any("Proxy" in type(one).__name__ for one in causes)
    return f"{'proxy: ' if uses_proxy else ''}{_kind_of_cause(cause)}: {str(cause).strip() or type(cause).__name__}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    while cause := error.__cause__ or error.__context__:
        yield cause
        error = cause


def _kind_of_cause(cause: BaseException) -> str:
    match cause:
        case socket.gaierror():
            return "name resolution"
        case ConnectionRefusedError():
            return "refused"
        case ssl.SSLCertVerificationError():
            return "certificate"
        case ssl.SSLError():
            return "TLS"
        case TimeoutError():
            return "timeout"
    return "timeout" if "Timeout" in type(cause).__name__ else "connection"


def check_form(text: str, response_format: Mapping[str, Any] | None) -> None:
    """Raise `ModelError` if the answer does not have the form that its turn or its assistant requires."""
    if response_format is None:
        return
    try:
        problem = find_problem(text, response_format)
    except CheckTookTooLong as error:
        raise ModelError(Code.OUTPUT_INVALID, ModelErrorKind.HOPELESS, message=str(error)) from None
    if problem:
        raise ModelError(Code.OUTPUT_INVALID, ModelErrorKind.RETRYABLE, message=problem)


def check_finish(reason: object, content: object, accepted: Sequence[str] = ()) -> None:
    """Raise `ModelError` unless the answer is complete; `accepted` are finish reasons of the provider that say so.

    A stream that breaks off ends without an exception.
    """
    if reason == "content_filter":
        raise ModelError(Code.CONTENT_FILTERED, ModelErrorKind.HOPELESS)
    if reason is None or reason == "":
        raise ModelError(Code.INCOMPLETE_ANSWER, ModelErrorKind.RETRYABLE)
    is_complete = reason in COMPLETE or (isinstance(reason, str) and reason.lower() in map(str.lower, accepted))
    if not is_complete or not content:
        raise ModelError(Code.PROVIDER_PROTOCOL, ModelErrorKind.RETRYABLE, message=f"finish_reason {reason!r}")
