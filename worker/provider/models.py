"""Build the model that a worker calls, and classify its failures."""

import math
import os
import re
import socket
import ssl
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx2
import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.exceptions import ContextOverflowError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import SecretStr

from turns.config.network import OPENAI_PROXY
from turns.config.provider_url import check_header_value, parse_provider_url
from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ConfigurationError, ModelError, ModelErrorKind
from turns.domain.model_parameters import ModelParameters
from worker.provider.chat_openai import LeanChatOpenAI, StockChatOpenAI
from worker.provider.completions import Completions, StockCompletions
from worker.provider.http import CONNECT_SECONDS
from worker.provider.reported_errors import kind_of, to_reported_error

OPENAI_URL = "https://api.openai.com/v1"
OFFLINE_MODEL = "offline"
DEFAULT_PARAMETERS = ModelParameters()
FINISHED = {"finish_reason": "stop", "model_name": OFFLINE_MODEL}

# Only answers with these finish reasons may enter the history. A stream that breaks off has no reason.
COMPLETE = ("stop", "length")  # not a set, because a provider may send an unhashable value


def build_model(settings: Settings, parameters: ModelParameters = DEFAULT_PARAMETERS) -> BaseChatModel:
    """Return the model that these settings name, or the offline model if there is no provider.

    Raise `ConfigurationError` if the client cannot be created.
    """
    if settings.is_offline:
        return OfflineModel()
    try:
        return _build_client(settings, parameters)
    except (ImportError, OSError, ValueError, openai.OpenAIError) as error:
        # The error itself may quote the API key, or the password of a proxy.
        raise ConfigurationError(
            f"The client of the provider cannot be created ({type(error).__name__}); "
            "check the variables OPENAI_*, *_PROXY and SSL_CERT_*."
        ) from None


def _build_client(settings: Settings, parameters: ModelParameters) -> BaseChatModel:
    url = parse_provider_url(settings.openai_base_url or OPENAI_URL)
    check_header_value(settings.openai_api_key.get_secret_value())
    model_class = StockChatOpenAI if settings.stock_client else LeanChatOpenAI
    model = model_class(
        model=settings.model,
        temperature=parameters.temperature,
        top_p=parameters.top_p,
        max_tokens=parameters.max_tokens,
        max_tokens_name=parameters.max_tokens_name,
        stop=list(parameters.stop) or None,
        extra_body=parameters.extra_body or None,
        stream_usage=parameters.stream_options,
        # Self-hosted endpoints often need no key, but the client requires one.
        api_key=settings.openai_api_key if settings.openai_api_key.get_secret_value() else SecretStr("none"),
        base_url=url.address,
        default_query=dict(url.query) or None,
        default_headers={"Authorization": url.authorization} if url.authorization else None,
        max_retries=0,  # turns/domain/retry.py decides; the client would sleep in the worker's slot
        timeout=_timeout(settings),
        use_responses_api=False,
    )
    if not settings.stock_client:
        is_proxied = _is_proxied(str(model.root_client.base_url))
        model.client = (
            StockCompletions(model.root_client)
            if is_proxied
            else Completions(model.root_client, read_seconds=_read_seconds(settings))
        )
    return model


def _is_proxied(url: str) -> bool:
    """Return whether a proxy may be set for the URL: OpenAI's client uses proxies, the thin one does not.

    Only plain names in `NO_PROXY` count here. OpenAI's client evaluates its networks and ports.
    """
    if os.environ.get(OPENAI_PROXY):
        return True
    address, proxies = urlsplit(url), getproxies()
    host = (address.hostname or "").lower()
    exempt = [entry.strip().lower() for entry in proxies.get("no", "").split(",")]
    is_exempt = any(entry in {"*", host} or (entry.startswith(".") and host.endswith(entry)) for entry in exempt)
    return bool(proxies.get(address.scheme) or proxies.get("all")) and not is_exempt


def _timeout(settings: Settings) -> openai.Timeout:
    """Return timeouts for the thread pool, in which a run cannot be interrupted. By default there are none."""
    return openai.Timeout(_read_seconds(settings), connect=CONNECT_SECONDS)


def _read_seconds(settings: Settings) -> float:
    return max(settings.first_token_seconds, settings.idle_seconds)


def fallback_name(settings: Settings) -> str:
    """Return the name of the model to call if the first one cannot answer; "" for none."""
    return "" if settings.is_offline else settings.fallback_model


class OfflineModel(BaseChatModel):
    """A model without a provider. It repeats the question and the session's history."""

    @property
    def _llm_type(self) -> str:
        return OFFLINE_MODEL

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        message = AIMessage(content=offline_answer(messages), response_metadata=FINISHED)
        return ChatResult(generations=[ChatGeneration(message=message)])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        for word in re.findall(r"\s*\S+", offline_answer(messages)):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        yield ChatGenerationChunk(message=AIMessageChunk(content="", response_metadata=FINISHED))


def offline_answer(messages: Sequence[BaseMessage]) -> str:
    """Return the offline model's answer to these messages."""
    *before, now = [str(message.content) for message in messages if isinstance(message, HumanMessage)]
    memory = f"Before that you said: {'; '.join(map(_quote, before))}." if before else "It is your first turn."
    return f"I am the built-in offline model and only repeat. You said: {_quote(now)}. {memory}"


def _quote(text: str) -> str:
    return f"“{textwrap.shorten(text, 80, placeholder='…')}”"


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
    retry_after_seconds = _retry_after(response) if response else None
    reported = to_reported_error(error.body)
    status = response.status_code if response else None
    code = reported.code(status, is_refilled=retry_after_seconds is not None)
    if isinstance(error, ContextOverflowError) and code is Code.PROVIDER_REJECTED:
        code = Code.CONTEXT_TOO_LONG
    return ModelError(
        code,
        kind_of(code),
        message=_describe(error),
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


def describe_cause(error: openai.APIConnectionError) -> str:
    """Return why there was no connection. The texts of these errors come from this machine, not from the provider."""
    causes = list(_causes(error))
    cause = next((cause for cause in causes if isinstance(cause, OSError)), causes[-1] if causes else error)
    is_proxied = _is_proxied(str(error.request.url)) or any("Proxy" in type(one).__name__ for one in causes)
    return f"{'proxy: ' if is_proxied else ''}{_kind_of_cause(cause)}: {str(cause).strip() or type(cause).__name__}"


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


def _retry_after(response: httpx2.Response) -> float | None:
    """Return the header in seconds; None for an HTTP date, which is rare and leads to the normal back-off."""
    try:
        seconds = float(response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


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
