"""Test that events are split and joined in the same way wherever the received data is cut."""

import json
from itertools import pairwise
from typing import Any

import httpx2
from hypothesis import given
from hypothesis import strategies as st

from worker.provider.answer import Answer
from worker.provider.event_stream import EventDecoder

BOM = b"\xef\xbb\xbf"
WORDS = st.lists(st.text(max_size=9), min_size=1, max_size=9)


def cut(data: bytes, positions: list[int]) -> list[bytes]:
    at = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[begin:end] for begin, end in pairwise(at) if begin < end]


def word(text: str, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, **more}]}


def read(*chunks: Any) -> list[Any]:
    """Return what a stream of these chunks becomes, without its last chunk."""
    answer = Answer(httpx2.Request("POST", "http://models.example/v1"))
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
