"""The chunks of one streamed completion, read from a response until the answer is whole."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol, Self

import httpx2
import openai

from turns.domain.error_codes import Code
from turns.domain.errors import ModelError, ModelErrorKind
from worker.provider.answer import StreamedAnswer
from worker.provider.event_stream import EventDecoder

# Readers get an event at most every 50 ms, so a pause of 20 ms is not visible. Handling each delta separately costs
# 0.06 ms: an answer of 100 words, 10 ms apart, costs 3.7 ms with this pause and 6.5 ms without.
PAUSE_SECONDS = 0.02
MAX_PAUSE_SECONDS = 0.2
MAX_SHARE = 0.02  # of the thread's time for one stream

# Sizes of what a provider may send for an answer without text, such as its reasoning.
EMPTY_EVENT_BYTES = 1024 * 1024
EMPTY_STREAM_BYTES = 32 * 1024 * 1024


class Receiver(Protocol):
    """A response whose body is read as it arrives."""

    @property
    def headers(self) -> Any: ...
    def pieces(self) -> Iterator[bytes]: ...
    def expect_within(self, seconds: float) -> None: ...
    def drain(self, pieces: Iterator[bytes]) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerLimits:
    """Maximum sizes of one event, which is buffered, and of a whole response."""

    event_bytes: int
    stream_bytes: int

    @classmethod
    def for_answer(cls, max_answer_bytes: int) -> Self:
        """Return limits that leave room for an answer of this size, in JSON and with an event for each token."""
        return cls(
            event_bytes=EMPTY_EVENT_BYTES + 4 * max_answer_bytes,
            stream_bytes=EMPTY_STREAM_BYTES + 128 * max_answer_bytes,
        )


class ChunkStream:
    """The chunks of one streamed completion. Closing it early ends it for the provider too."""

    def __init__(self, response: Receiver, request: httpx2.Request, limits: AnswerLimits) -> None:
        self._response = response
        self._request = request
        self._limits = limits

    @property
    def headers(self) -> httpx2.Headers:
        return httpx2.Headers(self._response.headers)

    def parse(self) -> "ChunkStream":
        return self

    def __enter__(self) -> "ChunkStream":
        return self

    def __exit__(self, *_: object) -> None:
        self._response.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        answer, decoder = StreamedAnswer(self._request), EventDecoder(self._limits.event_bytes)
        pieces = self._response.pieces()
        try:
            with openai_errors(self._request):
                for piece in pause_between(limited(pieces, self._limits.stream_bytes)):
                    yield from answer.deliver(decoder.feed(piece))
                    if answer.ends_at is not None:
                        if (seconds_left := answer.ends_at - time.monotonic()) <= 0:
                            break
                        self._response.expect_within(seconds_left)
        except openai.APIConnectionError:
            yield from answer.read_rest(decoder.finish())
            if not answer.is_whole:  # otherwise nothing is missing but the usage
                raise
        else:
            yield from answer.read_rest(decoder.finish())
        yield from answer.end()
        # The end of the response follows its last event. Without waiting for it, no connection could be reused.
        self._response.drain(pieces)


def limited(pieces: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    """Yield the pieces; raise `ModelError` if they are larger together."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > max_bytes:
            raise too_large(max_bytes)
        yield piece


def too_large(max_bytes: int) -> ModelError:
    return ModelError(Code.ANSWER_TOO_LARGE, ModelErrorKind.HOPELESS, message=f"more than {max_bytes} bytes")


def pause_between(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the pieces, and from the second one on pause after each, so that more data arrives for the next read."""
    for number, piece in enumerate(pieces):
        taken_at, used = time.monotonic(), time.thread_time()
        yield piece
        if number:
            time.sleep(pause_seconds(taken_at, used))


def pause_seconds(taken_at: float, used: float) -> float:
    """Return the pause after a piece that was taken then, when the thread had used this much time.

    It is longer after a piece that took long to handle, so that no stream takes the thread from the others.
    """
    fair_seconds = min(MAX_PAUSE_SECONDS, (time.thread_time() - used) / MAX_SHARE)
    return max(0.0, taken_at + max(PAUSE_SECONDS, fair_seconds) - time.monotonic())


@contextmanager
def openai_errors(request: httpx2.Request) -> Iterator[None]:
    """Raise the errors of the connection as those of OpenAI's client."""
    try:
        yield
    except TimeoutError as error:
        raise openai.APITimeoutError(request) from error
    except OSError as error:
        raise openai.APIConnectionError(request=request) from error
