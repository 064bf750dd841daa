"""What arrives is cut anywhere, and always read the same."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.provider.completions import joined, split_events
from worker.provider.http import unchunk

WORDS = st.lists(st.text(max_size=9), min_size=1, max_size=9)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    at = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(at) if begin < end]


def word(text: str, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, **more}]}


def test_a_transfer_chunk_of_negative_size_is_none() -> None:
    with pytest.raises(ValueError, match="negative"):
        unchunk(b"-6\r\nhello\r\n0\r\n\r\n")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=9), st.lists(st.integers(0, 999)), st.booleans())
def test_transfer_chunks(bodies: list[bytes], places: list[int], has_trailer: bool) -> None:
    sent = b"".join(b"%x;a=b\r\n%s\r\n" % (len(body), body) for body in bodies)
    sent += b"0\r\nTrailer: x\r\n\r\n" if has_trailer else b"0\r\n\r\n"
    got, rest, is_last = b"", b"", False
    for piece in cut(sent, places):
        body, rest, is_last = unchunk(rest + piece)
        got += body
    assert (got, rest, is_last) == (b"".join(bodies), b"", True)


@given(WORDS, st.lists(st.integers(0, 999)), st.sampled_from([b"\n", b"\r\n"]))
def test_events(words: list[str], places: list[int], newline: bytes) -> None:
    sent = b": a comment\n\n" + b"".join(b"event: x\ndata: %s\n\n" % json.dumps(text).encode() for text in words)
    got: list[bytes] = []
    rest = b""
    for piece in cut(sent.replace(b"\n", newline), places):
        events, rest = split_events(rest + piece)
        got += events
    assert ([json.loads(event) for event in got], rest) == (words, b"")


@given(WORDS)
def test_words_that_came_together_are_joined_and_nothing_else_is(words: list[str]) -> None:
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    said = [word(text) for text in words]
    last = [word("", finish_reason="stop"), {"choices": [], "usage": {"total_tokens": 3}}]
    assert list(joined([first, *said, *last])) == [first, word("".join(words)), *last]


def test_words_with_probabilities_stay_apart() -> None:
    offload = [word("a", logprobs={"content": []}), word("b", logprobs={"content": []})]
    assert list(joined(offload)) == offload
