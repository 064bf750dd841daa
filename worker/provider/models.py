"""Build the model that a worker calls."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import openai
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from pydantic import SecretStr

from turns.config.provider_url import OPENAI_URL, check_header_value, parse_provider_url
from turns.config.settings import Settings
from turns.domain.errors import ConfigurationError
from turns.domain.model_parameters import ModelParameters
from worker.provider.chat_openai import LeanChatOpenAI, StockChatOpenAI
from worker.provider.chunk_stream import AnswerLimits
from worker.provider.completions import Completions
from worker.provider.http import CONNECT_SECONDS
from worker.provider.http_client import build_async_http_client, build_http_client, is_proxied
from worker.provider.stock_client import AsyncCompletions

OFFLINE_MODEL = "offline"
DEFAULT_PARAMETERS = ModelParameters()
FINISHED = {"finish_reason": "stop", "model_name": OFFLINE_MODEL}


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
        max_retries=0,  # turns/domain/run/retry.py decides; the client would sleep in the worker's slot
        timeout=_timeout(settings),
        use_responses_api=False,
        openai_proxy=None,  # the clients below use it
        http_socket_options=(),
        http_client=build_http_client(),
        http_async_client=build_async_http_client(),
    )
    if not settings.stock_client:
        limits = AnswerLimits.for_answer(settings.max_answer_bytes)
        model.async_client = AsyncCompletions(model.root_async_client, limits)
        model.client = Completions(
            model.root_client,
            limits=limits,
            read_seconds=_read_seconds(settings),
            is_direct=not is_proxied(str(model.root_client.base_url)),
        )
    return model


def with_response_format(model: BaseChatModel, response_format: Mapping[str, Any] | None) -> BaseChatModel:
    """Return a copy of the model with the same connections that asks for this form, if its provider can."""
    if not isinstance(model, StockChatOpenAI):
        return model
    others = {name: value for name, value in (model.extra_body or {}).items() if name != "response_format"}
    is_text = response_format is None or response_format.get("type") == "text"
    own = {} if is_text else {"response_format": response_format}  # not every server knows the form "text"
    return model.model_copy(update={"extra_body": {**others, **own} or None})


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

    def bind_tools(self, tools: Sequence[Any], **_: Any) -> Runnable[LanguageModelInput, AIMessage]:
        """Return this model, which never calls a tool."""
        return self

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
