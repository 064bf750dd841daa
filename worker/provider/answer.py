"""One streamed answer: the events of the provider become chunks."""

import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

import httpx2
import openai
import orjson

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from worker.provider.completion_chunks import (
    ChunkNormalizer,
    normalize_completion,
    plain_text,
    plain_text_alone,
    reasoning_of,
    text_chunk,
)
from worker.provider.event_stream import END, parse_json, split_documents
from worker.provider.extras.parts import add_extras
from worker.provider.reported_errors import find_error
from worker.provider.request_ids import current_request

# An answer is whole once its finish reason has arrived. The provider may still send the usage, within this time.
USAGE_SECONDS = 0.5

CONTENT = ("content", "tool_calls", "function_call")
REASONING = "inturn_reasoning"  # the only field of a chunk that stands for the reasoning at its place
MAX_CHUNKS = 100_000  # LangChain keeps all chunks of an answer, 3 KB each


class StreamedAnswer:
    """One streamed answer: its events become chunks. It is whole once its finish reason has arrived."""

    def __init__(self, request: httpx2.Request) -> None:
        self.is_whole = False
        self.ends_at: float | None = None  # time of the monotonic clock at which no more events need to be read
        self._is_done = False
        self._is_empty = True
        self._count = 0
        self._request = request
        self._normalizer = ChunkNormalizer()
        self._current = current_request()
        self._on_reasoning = self._current.on_reasoning if self._current else None
        self._plain_text = plain_text_alone if self._on_reasoning else plain_text

    def deliver(self, events: Iterable[tuple[bytes, bytes]]) -> Iterable[dict[str, Any]]:
        """Return the chunks as `read` does, and pass on the reasoning between them."""
        chunks = self.read(events)
        return self._deliver_reasoning(chunks) if self._on_reasoning else chunks

    def read(self, events: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
        """Return the chunks in these events. Raise `openai.APIError` if one reports an error, or `ValueError`.

        Consecutive chunks that only have text are joined, because each chunk costs LangChain 0.06 ms.
        """
        chunks: list[dict[str, Any]] = []
        texts: list[str] = []
        is_plain = self._is_plain
        for name, data in events:
            if self._is_done or data.startswith(END):
                self._is_done, self.ends_at = True, 0.0
                break
            parsed = _parse_fast(data)
            if is_plain and name != b"error" and (text := self._plain_text(parsed)) is not None:
                texts.append(text)
                continue
            self._flush(texts, chunks)
            for chunk in self._read_other(name, data, parsed):
                if (
                    REASONING in chunk or _has_content(chunk) or not chunks
                ):  # one empty chunk shows that the model is alive
                    chunks.append(chunk)
            is_plain = self._is_plain
        self._flush(texts, chunks)
        self._count += len(chunks)
        if self._count > MAX_CHUNKS:
            raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS, message=f"more than {MAX_CHUNKS} chunks")
        return chunks

    def read_rest(self, events: Iterable[tuple[bytes, bytes]]) -> list[dict[str, Any]]:
        """Return the chunks in what follows the last complete event; the half of an event has none."""
        try:
            return list(self.deliver(events))
        except (ValueError, TypeError, AttributeError):
            return []

    def _add(self, chunk: Any) -> list[dict[str, Any]]:
        """Return the normalized chunk, or nothing for a keep-alive. Raise as `read` does."""
        if not chunk:
            return []
        if not isinstance(chunk, dict):
            raise ValueError("an event of the stream is not a JSON object")
        raise_reported_error(chunk, self._request, is_whole=self.is_whole)
        self._is_empty = False
        reasoning = reasoning_of(chunk) if self._on_reasoning else ""
        if self._current:
            add_extras(self._current.extras, chunk)
        chunk = self._normalizer.normalize(chunk)
        if self._normalizer.finish_reason is not None and (not self.is_whole or _has_text(chunk)):
            # Some providers send a reason with each chunk, so more text starts the time again.
            self.is_whole, self.ends_at = True, time.monotonic() + USAGE_SECONDS
        return [{REASONING: reasoning}, chunk] if reasoning else [chunk]

    def end(self) -> list[dict[str, Any]]:
        """Return the last chunk, unless there was none."""
        if self._is_done:
            self._normalizer.accept_empty_reason()
        return [] if self._is_empty else [self._normalizer.last_chunk()]

    def _deliver_reasoning(self, chunks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for chunk in chunks:
            if REASONING not in chunk:
                yield chunk
            elif self._on_reasoning:
                self._on_reasoning(chunk[REASONING])

    def _flush(self, texts: list[str], chunks: list[dict[str, Any]]) -> None:
        if texts:
            if (text := "".join(texts)) or not chunks:
                chunks.append(text_chunk(text))
            texts.clear()
            self._normalizer.ends_with_empty_reason = False

    @property
    def _is_plain(self) -> bool:
        """Return whether a chunk that only has text can be passed on as it is."""
        return not (self._is_empty or self.is_whole or self._normalizer.half)

    def _read_other(self, name: bytes, data: bytes, parsed: Any) -> list[dict[str, Any]]:
        try:
            if name == b"error":
                return self._read_error(data)
            if parsed is not None:
                return self._add(parsed)
            if len(documents := split_documents(data)) > 1:
                return self.read((name, document) for document in documents)
            return self._add(parse_json(data))
        except (ValueError, TypeError, AttributeError):
            if self.is_whole:
                return []
            raise

    def _read_error(self, data: bytes) -> list[dict[str, Any]]:
        """Raise the error in an event with this name, which may have any form."""
        error: Any = data.decode(errors="replace")
        with suppress(ValueError):
            error = parse_json(data)
        body = error if isinstance(error, dict) and error.get("error") else {"error": error or True}
        raise_reported_error(body, self._request, is_whole=self.is_whole)
        return []


def _parse_fast(data: bytes) -> Any:
    """Return the value of a JSON document; None if it is null, or only Python's own parser may accept it."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return None


def _has_text(chunk: dict[str, Any]) -> bool:
    return any(choice["delta"] and choice["delta"].get("content") for choice in chunk["choices"])


def _has_content(chunk: dict[str, Any]) -> bool:
    """Return whether LangChain makes anything of a chunk."""
    return any(
        choice.get("logprobs") or any((choice["delta"] or {}).get(name) for name in CONTENT)
        for choice in chunk["choices"]
    )


def to_completion(content: bytes, request: httpx2.Request, max_bytes: int) -> Any:
    """Return a completion that was not streamed. Raise `openai.APIError`, or `ModelError` if it is too large."""
    if len(content) > max_bytes:
        raise ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS, message=f"more than {max_bytes} bytes")
    body = parse_json(content)
    if isinstance(body, dict):
        raise_reported_error(body, request)
        if current := current_request():
            add_extras(current.extras, body)
            if current.on_reasoning and (text := reasoning_of(body, "message")):
                current.on_reasoning(text)
        body = {"choices": None, "system_fingerprint": None, **body}  # defaults of OpenAI's client
        body = normalize_completion(body)
    return body


def raise_reported_error(chunk: dict[str, Any], request: httpx2.Request, *, is_whole: bool = False) -> None:
    """Raise the error that a chunk reports, if any. A whole answer stays whole, unless it was filtered."""
    error = find_error(chunk)
    if error is None or (is_whole and not error.is_filtered):
        return
    raise openai.APIError(error.message or "An error occurred during streaming", request, body=error.body)
