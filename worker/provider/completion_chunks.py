"""Normalize the chunks of a streamed completion, whatever dialect of OpenAI's format the provider speaks.

Text is passed on as it arrives. The finish reason, the model and the usage are kept until the end and passed on once,
because LangChain adds up what providers repeat: usage that is sent twice would count twice.
"""

from typing import Any

from worker.provider.event_stream import join_halves

MAX_TOKENS = 10**9  # a larger token count of one answer is not plausible

# Finish reasons of other providers, in lower case. Every other reason is left as it is.
FINISH_REASONS = {
    **dict.fromkeys(("eos", "eos_token", "end", "end_turn", "stop_sequence", "complete", "completed"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length", "max_length"), "length"),
    **dict.fromkeys(
        ("content_filtered", "safety", "recitation", "blocklist", "prohibited_content", "sensitive", "refusal"),
        "content_filter",
    ),
    **{reason: reason for reason in ("stop", "length", "content_filter", "tool_calls", "function_call", "error")},
}
# Fields of a delta besides its text that LangChain does not read, or that are the same in each chunk.
IGNORED = frozenset({"content", "role", "reasoning", "reasoning_content", "reasoning_details"})
REASONING_FIELDS = ("reasoning_content", "reasoning")  # a provider that sends both sends the same text in both
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def plain_text(chunk: Any) -> str | None:
    """Return the text of a chunk that needs no normalization, "" if it only has reasoning; otherwise None."""
    try:
        [choice] = chunk["choices"]
        delta = choice["delta"]
        text = delta.get("content") or ""
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    if type(text) is not str or choice.get("finish_reason") is not None or choice.get("logprobs"):
        return None
    if (len(delta) > 1 or not text) and any(value for name, value in delta.items() if name not in IGNORED):
        return None
    return None if chunk.get("usage") or chunk.get("error") or choice.get("error") else text


def plain_text_alone(chunk: Any) -> str | None:
    """Return the same as `plain_text`, but None for a chunk with reasoning too."""
    return None if reasoning_of(chunk) else plain_text(chunk)


def reasoning_of(chunk: Any, part: str = "delta") -> str:
    """Return the reasoning in a chunk, or in the `message` of a completion; "" if there is none."""
    try:
        delta = chunk["choices"][0][part]
        texts = [delta.get(name) for name in REASONING_FIELDS]
        content = delta.get("content")
        thoughts = [block.get("thinking") for block in content] if isinstance(content, list) else []
        text = next((text for text in map(text_of, [*texts, *thoughts]) if isinstance(text, str) and text), "")
    except (AttributeError, IndexError, KeyError, TypeError):
        return ""
    return text.encode(errors="replace").decode()  # half of a surrogate pair cannot be sent


def text_chunk(text: str) -> dict[str, Any]:
    """Return a chunk that has nothing but text."""
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}


class ChunkNormalizer:
    """The state of one streamed answer: what its chunks have in common is passed on in the last chunk."""

    def __init__(self) -> None:
        self.finish_reason: Any = None
        self.ends_with_empty_reason = False  # whether the last choice had "" as its finish reason
        self._model: str | None = None
        self._usage: dict[str, Any] | None = None
        self._metadata: dict[str, Any] = {}
        self.half = ""  # first half of a surrogate pair; its other half is in the next chunk

    def normalize(self, chunk: dict[str, Any]) -> dict[str, Any]:
        """Return the chunk without what is passed on at the end. Raise `TypeError` or `AttributeError` if it is odd."""
        choices = chunk.get("choices") or []
        for choice in choices:
            if choice.get("delta") is None:
                choice["delta"] = choice.get("message")  # Azure sends neither of them in content filter results
            if choice["delta"]:
                self._clean(choice["delta"])
            self._finish(choice)
            self._usage = sound_usage(choice.get("usage")) or self._usage
        self._usage = sound_usage(chunk.get("usage")) or self._usage
        self._model = _text_or_none(chunk.get("model")) or self._model
        self._metadata |= {name: chunk[name] for name in ("system_fingerprint", "service_tier") if chunk.get(name)}
        return {**chunk, "choices": choices, "usage": None}

    def accept_empty_reason(self) -> None:
        """Take "" for `stop` if it was the last reason: some servers end a whole answer so."""
        if self.finish_reason is None and self.ends_with_empty_reason:
            self.finish_reason = "stop"

    def last_chunk(self) -> dict[str, Any]:
        """Return a chunk with the finish reason, the model and the usage."""
        delta = {"content": join_halves(self.half)} if self.half else {}
        choice = {"index": 0, "delta": delta, "finish_reason": self.finish_reason}
        return {**self._metadata, "model": self._model, "choices": [choice], "usage": self._usage}

    def _finish(self, choice: dict[str, Any]) -> None:
        self.ends_with_empty_reason = choice.get("finish_reason") == ""
        reason = normalize_reason(choice.get("finish_reason"))
        if reason is not None and self.finish_reason != "content_filter":
            self.finish_reason = reason
        choice["finish_reason"] = None

    def _clean(self, delta: dict[str, Any]) -> None:
        delta.pop("role", None)  # it is the assistant's, whatever the provider calls it
        content = text_of(delta.get("content"))
        if isinstance(refusal := delta.pop("refusal", None), str):
            content = f"{content or ''}{refusal}"
        if isinstance(content, str) and not (content.isascii() and not self.half):
            content = self.half + content
            is_half = "\ud800" <= content[-1:] <= "\udbff"
            self.half = content[-1] if is_half else ""
            content = join_halves(content[:-1] if is_half else content)
        delta["content"] = content
        for position, call in enumerate(delta.get("tool_calls") or ()):
            call.setdefault("index", position)  # LangChain drops calls without one


def normalize_completion(body: dict[str, Any]) -> dict[str, Any]:
    """Return a completion that was not streamed in the same form."""
    for choice in body.get("choices") or ():
        reason = choice.get("finish_reason")
        choice["finish_reason"] = "stop" if reason == "" else normalize_reason(reason)
        if isinstance(message := choice.get("message"), dict):
            message["role"] = "assistant"
            content = text_of(message.get("content"))
            message["content"] = content or _text_or_none(message.get("refusal")) or content
    return {**body, "usage": sound_usage(body.get("usage"))}


def normalize_reason(reason: Any) -> Any:
    """Return OpenAI's word for a finish reason; None for an empty one; any other as it is."""
    if isinstance(reason, str):
        return FINISH_REASONS.get(reason.lower(), reason) or None
    return reason


def text_of(content: Any) -> Any:
    """Return the text of a list of content blocks, without the thinking in it; any other content as it is."""
    if not isinstance(content, list):
        return content
    texts = (block if isinstance(block, str) else _text_of_block(block) for block in content)
    return "".join(text for text in texts if isinstance(text, str))


def _text_of_block(block: Any) -> Any:
    kind = block.get("type", "text")
    return block.get("text" if kind in {"text", "output_text"} else "refusal" if kind == "refusal" else "")


def sound_usage(usage: Any) -> dict[str, Any] | None:
    """Return the usage if all its token counts are plausible whole numbers."""
    if not isinstance(usage, dict):
        return None
    counts = {name: _count(usage.get(name)) for name in COUNTS}
    prompt, completion = counts["prompt_tokens"], counts["completion_tokens"]
    if usage.get("total_tokens") is None and prompt is not None and completion is not None:
        counts["total_tokens"] = prompt + completion
    return None if None in counts.values() else {**usage, **counts, **_sound_details(usage)}


def _sound_details(usage: dict[str, Any]) -> dict[str, Any]:
    details = {name: usage[name] if isinstance(usage[name], dict) else {} for name in DETAILS if name in usage}
    return {
        name: {key: count for key, value in values.items() if (count := _count(value)) is not None}
        for name, values in details.items()
    }


def _count(value: Any) -> int | None:
    is_whole = type(value) is int or (type(value) is float and value.is_integer())
    return int(value) if is_whole and 0 <= value <= MAX_TOKENS else None


def _text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
