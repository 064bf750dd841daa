"""The spans of a run, with the attributes of OpenTelemetry's conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ has their meaning. No attribute contains a text of a conversation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from urllib.parse import urlsplit

from turns.config.provider_url import OPENAI_URL, parse_provider_url
from turns.config.settings import Settings
from turns.config.tracing import Attributes, mark_failed, set_attributes, span
from turns.domain.errors import LeaseLost, ModelError
from turns.domain.ids import tenant_of
from turns.domain.run.answer import Answer
from turns.domain.run.claim import Claim
from worker.run.interrupt import STOPS

# Well-known values of `gen_ai.provider.name`, by the end of the host. Any other host speaks OpenAI's protocol, and the
# conventions then name the provider of the protocol.
PROVIDER_BY_HOST = {
    "openai.azure.com": "azure.ai.openai",
    "services.ai.azure.com": "azure.ai.inference",
    "amazonaws.com": "aws.bedrock",
    "generativelanguage.googleapis.com": "gcp.gemini",
    "aiplatform.googleapis.com": "gcp.vertex_ai",
    "anthropic.com": "anthropic",
    "cohere.com": "cohere",
    "deepseek.com": "deepseek",
    "groq.com": "groq",
    "mistral.ai": "mistral_ai",
    "perplexity.ai": "perplexity",
    "x.ai": "x_ai",
}


@contextmanager
def run_span(claim: Claim) -> Iterator[None]:
    """Open the span of an attempt, as a child of the request that submitted the turn."""
    attributes: Attributes = {
        "gen_ai.agent.name": claim.assistant.name,
        "gen_ai.conversation.id": claim.session_id,
        "inturn.attempt": claim.attempt,
        "inturn.tenant": tenant_of(claim.session),
        "inturn.turn.id": claim.turn_id,
    }
    with span("run_turn", attributes, parent=claim.traceparent, kind="CONSUMER"):
        try:
            yield
        except Exception as error:
            mark_failed(type(error).__name__)
            raise


@contextmanager
def generation_span(claim: Claim, settings: Settings) -> Iterator[None]:
    """Open the span of the model's call, or of a custom chain, which may make several or none."""
    is_custom = bool(claim.assistant.chain)
    operation, target = ("invoke_agent", claim.assistant.name) if is_custom else ("chat", claim.model)
    attributes: Attributes = {
        "gen_ai.operation.name": operation,
        "gen_ai.conversation.id": claim.session_id,
        "gen_ai.request.model": claim.model,
        **({"gen_ai.agent.name": claim.assistant.name} if is_custom else {}),
        **describe_provider(settings.openai_base_url or OPENAI_URL),
    }
    with span(f"{operation} {target}", attributes, kind="INTERNAL" if is_custom else "CLIENT"):
        try:
            yield
        except ModelError as error:
            mark_failed(error.code)
            raise
        except (LeaseLost, *STOPS):
            raise
        except BaseException as error:
            mark_failed(type(error).__name__)
            raise


@lru_cache(maxsize=64)
def describe_provider(base_url: str) -> dict[str, str | int]:
    """Return the attributes of the provider with this base URL, without its query and login."""
    parts = urlsplit(parse_provider_url(base_url).address)
    host = parts.hostname or ""
    names = (name for end, name in PROVIDER_BY_HOST.items() if host == end or host.endswith(f".{end}"))
    return {
        "gen_ai.provider.name": next(names, "openai"),
        "server.address": host,
        "server.port": parts.port or (443 if parts.scheme == "https" else 80),
    }


def record_answer(answer: Answer) -> None:
    """Add the model and the tokens of an answer to the open span."""
    set_attributes({"gen_ai.response.model": answer.model})
    if usage := answer.usage:
        set_attributes(
            {
                "gen_ai.usage.input_tokens": usage.input_tokens,
                "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens,
                "gen_ai.usage.output_tokens": usage.output_tokens,
                "gen_ai.usage.reasoning.output_tokens": usage.reasoning_tokens,
            }
        )
