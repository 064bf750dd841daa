"""What the calls of a model report: their tokens, the name of the model, and whether their answers are complete."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import openai
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage
from langchain_core.outputs import ChatGeneration, LLMResult

from turns.domain.errors import ModelError
from turns.domain.run.spending import NO_TOKENS, Usage
from worker.provider.failures import check_finish, to_model_error

CALLS_TOOLS = ("tool_calls", "function_call")  # finish reasons after which a chain continues
MODEL_TAG = "inturn"  # tag of the model that a custom chain receives; its answers are checked like those of our chains
MAX_TOKENS = 10**9  # a larger token count of one answer is not plausible


def to_usage(answer: AIMessage) -> Usage | None:
    """Return the token counts; None if the provider sent none, or impossible ones, because the store adds them up."""
    metadata = answer.usage_metadata
    if metadata is None:
        return None
    counts = {name: metadata.get(name) for name in ("input_tokens", "output_tokens", "total_tokens")}
    if not all(map(_is_plausible, counts.values())):
        return None
    cached = _part(metadata.get("input_token_details"), "cache_read", of=counts["input_tokens"])
    reasoning = _part(metadata.get("output_token_details"), "reasoning", of=counts["output_tokens"])
    return Usage(**counts, cached_tokens=cached, reasoning_tokens=reasoning)  # type: ignore[arg-type]  # integers, see above


def _is_plausible(count: object) -> bool:
    return type(count) is int and 0 <= count <= MAX_TOKENS


def _part(details: Any, name: str, *, of: Any) -> int:
    """Return a part of a token count; 0 if it is not reported or is more than the whole."""
    count = details.get(name) if isinstance(details, Mapping) else None
    return count if type(count) is int and 0 <= count <= of else 0


def to_model(answer: AIMessage) -> str | None:
    """Return the name of the model as the provider reports it."""
    name = answer.response_metadata.get("model_name")
    return name if isinstance(name, str) else None


class ModelCallObserver(BaseCallbackHandler):
    """Callback that records the model calls of a chain, even if the chain only passes their text on.

    `check` raises if the run must stop, in the thread in which the chain runs its models.
    """

    run_inline = True

    def __init__(self, finish_reasons: Sequence[str] = ()) -> None:
        """Accept these finish reasons too."""
        self._finish_reasons = finish_reasons
        self.check: Callable[[], object] = lambda: None
        self.usage: Usage | None = None
        self.model: str | None = None
        self.finish_reason: str | None = None
        self.problem: ModelError | None = None
        self._unreported: set[Any] = set()
        self.has_seen_calls = False  # of a model or a tool, which must not be repeated
        self._errors: list[BaseException] = []

    def explain(self, error: Exception) -> ModelError | None:
        """Return the provider's failure behind an exception of the chain; None if there was none.

        An incomplete answer of the model can make a later step of the chain fail.
        """
        is_from_model = isinstance(error, openai.APIError) or any(error is seen for seen in self._errors)
        return self.problem or (to_model_error(error) if is_from_model else None)

    @property
    def unreported_calls(self) -> int:
        """Number of calls of a model whose tokens have not been reported."""
        return len(self._unreported)

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any = None, **_: Any) -> None:
        self.has_seen_calls = True
        self._unreported.add(run_id)

    def on_llm_new_token(self, token: Any, **_: Any) -> None:
        self.check()

    def on_tool_start(self, serialized: Any, input_str: str, **_: Any) -> None:
        self.has_seen_calls = True
        self.check()

    def on_llm_error(self, error: BaseException, *, tags: list[str] | None = None, **_: Any) -> None:
        if MODEL_TAG in (tags or ()):
            self._errors.append(error)

    def on_llm_end(self, response: LLMResult, *, run_id: Any = None, tags: list[str] | None = None, **_: Any) -> None:
        generation = response.generations[0][0]
        if not isinstance(generation, ChatGeneration) or not isinstance(message := generation.message, AIMessage):
            return
        self.finish_reason = message.response_metadata.get("finish_reason")
        if MODEL_TAG in (tags or ()) and self.finish_reason not in CALLS_TOOLS:
            try:
                check_finish(self.finish_reason, message.content, self._finish_reasons)
            except ModelError as problem:
                self.problem = self.problem or problem
        if usage := to_usage(message):
            self.usage = (self.usage or NO_TOKENS) + usage
            self._unreported.discard(run_id)
        self.model = to_model(message) or self.model
