"""Test that events are split and joined in the same way wherever the received data is cut."""

import json
import time
from itertools import pairwise
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.provider import chunk_stream
from worker.provider.answer import StreamedAnswer
from worker.provider.event_stream import EventDecoder

BOM = b"\xef\xbb\xbf"
WORDS = st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=9)


def cut(data: bytes, positions: list[int]) -> list[bytes]:
    at = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[begin:end] for begin, end in pairwise(at) if begin < end]


def word(text: str, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, **more}]}


def read(*chunks: Any) -> list[Any]:
    """Return what a stream of these chunks becomes, without its last chunk."""
    answer = StreamedAnswer(httpx2.Request("POST", "http://models.example/v1"))
    return answer.read((b"", json.dumps(chunk).encode()) for chunk in chunks)


def texts(chunks: list[Any]) -> list[str]:
    return [choice["delta"].get("content") for chunk in chunks for choice in chunk["choices"]]


@given(WORDS, st.lists(st.integers(0, 999)), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.sampled_from([b"", BOM]))
def test_events_are_found_wherever_the_data_is_cut(
    words: list[str], positions: list[int], newline: bytes, mark: bytes
) -> None:
    sent = b": a comment\n\n" + b"".join(b"event: x\ndata: %s\n\n" % json.dumps(text).encode() for text in words)
    decoder, found = EventDecoder(10**6), []
    for piece in cut(mark + sent.replace(b"\n", newline), positions):
        found += decoder.feed(piece)
    assert [json.loads(data) for _, data in found] == words
    assert decoder.finish() == []


@given(WORDS)
def test_only_chunks_of_text_are_joined(words: list[str]) -> None:
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    thought = word("", logprobs={"content": []})
    assert texts(read(first, *map(word, words), thought, *map(word, words))) == [
        "",
        "".join(words),
        "",
        "".join(words),
    ]


def test_chunks_with_probabilities_are_not_joined() -> None:
    chunks = [word("a", logprobs={"content": []}), word("b", logprobs={"content": []})]
    assert texts(read(*chunks)) == ["a", "b"]


@given(st.lists(st.sampled_from(["reasoning", "reasoning_content", "role", "tool_calls"]), min_size=2, max_size=30))
def test_reasoning_is_one_empty_chunk_for_each_read(names: list[str]) -> None:
    """It shows that the model is alive, and costs little."""
    answer = StreamedAnswer(httpx2.Request("POST", "http://models.example/v1"))
    thoughts = [{"choices": [{"index": 0, "delta": {name: None if name == "tool_calls" else "x"}}]} for name in names]
    for _ in range(3):
        assert texts(answer.read((b"", json.dumps(chunk).encode()) for chunk in thoughts)) in ([""], [None])


def test_a_piece_that_takes_long_is_followed_by_a_longer_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    used = iter([0, 0, 0.0001, 0.01, 0.012, 0.02, 2.0])  # CPU time: before the first piece, then around each
    monkeypatch.setattr(time, "sleep", pauses.append)
    monkeypatch.setattr(time, "monotonic", lambda: 1.0)
    monkeypatch.setattr(time, "thread_time", lambda: next(used))
    assert list(chunk_stream.pause_between([b"1", b"2", b"3", b"4"])) == [b"1", b"2", b"3", b"4"]
    assert pauses == pytest.approx([0.02, 0.1, 0.2])
