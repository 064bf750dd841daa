"""The model that a worker talks to, and what its failures mean."""

import math
import re
import textwrap
from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from turns.config.settings import Settings
from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from worker.provider.chat_openai import LeanChatOpenAI
from worker.provider.completions import Completions
from worker.provider.http import CONNECT_SECONDS

OFFLINE_MODEL = "offline"
FINISHED = {"finish_reason": "stop", "model_name": OFFLINE_MODEL}

# Only these end an answer that may enter the history. A stream that breaks off has none.
WHOLE_ANSWERS = ("stop", "length")  # no set: a provider may give what has no hash

# What a provider says in `error.code` counts for more than its status: a 429 for want of quota is cured by no waiting.
REASONS = MappingProxyType(
    {
        "insufficient_quota": Code.PROVIDER_QUOTA,
        "context_length_exceeded": Code.CONTEXT_TOO_LONG,
        "content_filter": Code.CONTENT_FILTERED,
    }
)
STATUSES = MappingProxyType(
    {
        401: (Code.PROVIDER_AUTHENTICATION, ModelErrorKind.HOPELESS),
        403: (Code.PROVIDER_AUTHENTICATION, ModelErrorKind.HOPELESS),
        408: (Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE),
        409: (Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE),
        429: (Code.PROVIDER_RATE_LIMITED, ModelErrorKind.RATE_LIMITED),
    }
)


def build_model(
    settings: Settings, *, temperature: float | None = None, max_tokens: int | None = None
) -> BaseChatModel:
    if settings.is_offline:
        return OfflineModel()
    make = ChatOpenAI if settings.stock_client else LeanChatOpenAI
    model = make(
        model=settings.model,
        temperature=temperature,
        max_tokens=max_tokens,
        # Endpoints of one's own often want no key, but the client wants one.
        api_key=settings.openai_api_key if settings.openai_api_key.get_secret_value() else SecretStr("none"),
        base_url=settings.openai_base_url or None,
        max_retries=0,  # ours is the one retry policy; the client's would sleep in the worker's slot
        timeout=_timeout(settings),
        stream_usage=True,
        use_responses_api=False,
    )
    if not settings.stock_client and not _is_proxied(str(model.root_client.base_url)):
        model.client = Completions(model.root_client, read_seconds=_silence_seconds(settings))
    return model


def _is_proxied(url: str) -> bool:
    """Somebody set a proxy for it in the environment: OpenAI's client heeds that, the thin one does not."""
    address, proxies = urlsplit(url), getproxies()
    return bool(proxies.get(address.scheme) or proxies.get("all")) and not proxy_bypass(address.hostname or "")


def _timeout(settings: Settings) -> openai.Timeout:
    """The client's own, for pools in which a run cannot be stopped from outside; its default is none at all."""
    return openai.Timeout(_silence_seconds(settings), connect=CONNECT_SECONDS)


def _silence_seconds(settings: Settings) -> float:
    return max(settings.first_token_seconds, settings.idle_seconds)


def model_name(settings: Settings) -> str:
    return OFFLINE_MODEL if settings.is_offline else settings.model


def fallback_name(settings: Settings) -> str:
    """Of the model that is asked where the first one cannot answer; "" for none."""
    return "" if settings.is_offline else settings.fallback_model


class OfflineModel(BaseChatModel):
    """Answers without a provider, and shows by what it says that it was given the session's history."""

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
    *before, now = [str(message.content) for message in messages if isinstance(message, HumanMessage)]
    memory = (
        f"Before that you said: {'; '.join(_quoted(said) for said in before)}." if before else "It is your first turn."
    )
    return f"I am the built-in offline model and only repeat. You said: {_quoted(now)}. {memory}"


def _quoted(text: str) -> str:
    return f"“{textwrap.shorten(text, 80, placeholder='…')}”"


def to_model_error(error: Exception) -> ModelError | None:
    """What a provider did, in the words of the policy; its text stays in the message. None: it was not a provider."""
    match error:
        case ModelError():
            return error
        case openai.APIStatusError():
            return _from_status(error)
        case openai.APITimeoutError():
            code = Code.PROVIDER_TIMEOUT
        case openai.APIConnectionError():
            code = Code.PROVIDER_UNREACHABLE
        case openai.APIError():  # an error event in mid-stream
            code = Code.PROVIDER_ERROR
        case ValueError() | IndexError() | TypeError() | AttributeError():  # as HTML, cut JSON, odd chunks surface
            code = Code.PROVIDER_PROTOCOL
        case _:
            return None
    return ModelError(code, ModelErrorKind.RETRYABLE, message=_in_short(error))


def _from_status(error: openai.APIStatusError) -> ModelError:
    code, kind = _classify(error.status_code, error.code)
    return ModelError(code, kind, message=_in_short(error), retry_after_seconds=_retry_after(error))


def _in_short(error: Exception) -> str:
    """For the log, without the provider's own words: they may quote the conversation, or a part of the key."""
    told = [getattr(error, name, None) for name in ("status_code", "code", "request_id")]
    return " ".join([type(error).__name__, *(str(part) for part in told if part)])


def _classify(status: int, reason: str | None) -> tuple[Code, ModelErrorKind]:
    if reason is not None and reason in REASONS:
        return REASONS[reason], ModelErrorKind.HOPELESS
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return Code.PROVIDER_ERROR, ModelErrorKind.RETRYABLE
    return Code.PROVIDER_REJECTED, ModelErrorKind.HOPELESS


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds; the HTTP date form is rare at model providers, and falls back to our own back-off."""
    try:
        seconds = float(error.response.headers["retry-after"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def check_finish(reason: object, content: object) -> None:
    """Raises `ModelError` unless this is a whole answer: a stream that breaks off comes back as a success too."""
    if reason == "content_filter":
        raise ModelError(Code.CONTENT_FILTERED, ModelErrorKind.HOPELESS)
    if reason is None:
        raise ModelError(Code.INCOMPLETE_ANSWER, ModelErrorKind.RETRYABLE)
    if reason not in WHOLE_ANSWERS or not content:
        raise ModelError(Code.PROVIDER_PROTOCOL, ModelErrorKind.RETRYABLE, message=f"finish_reason {reason!r}")
