"""Test that events are split and joined in the same way wherever the received data is cut."""

import json
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from worker.provider.completions import join_deltas, split_events

WORDS = st.lists(st.text(max_size=9), min_size=1, max_size=9)


def cut(data: bytes, positions: list[int]) -> list[bytes]:
    at = [0, *sorted(position % (len(data) + 1) for position in positions), len(data)]
    return [data[begin:end] for begin, end in pairwise(at) if begin < end]


def word(text: str, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None, **more}]}


@given(WORDS, st.lists(st.integers(0, 999)), st.sampled_from([b"\n", b"\r\n"]))
def test_events_are_found_wherever_the_data_is_cut(words: list[str], positions: list[int], newline: bytes) -> None:
    sent = b": a comment\n\n" + b"".join(b"event: x\ndata: %s\n\n" % json.dumps(text).encode() for text in words)
    found: list[bytes] = []
    rest = b""
    for piece in cut(sent.replace(b"\n", newline), positions):
        events, rest = split_events(rest + piece)
        found += events
    assert ([json.loads(event) for event in found], rest) == (words, b"")


@given(WORDS)
def test_only_chunks_of_text_are_joined(words: list[str]) -> None:
    first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
    last = [word("", finish_reason="stop"), {"choices": [], "usage": {"total_tokens": 3}}]
    chunks = [first, *(word(text) for text in words), *last]
    assert list(join_deltas(chunks)) == [first, word("".join(words)), *last]


def test_chunks_with_probabilities_are_not_joined() -> None:
    chunks = [word("a", logprobs={"content": []}), word("b", logprobs={"content": []})]
    assert list(join_deltas(chunks)) == chunks
