"""The chunks of a streamed completion."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from turns.domain.turn import Turn
from web.streaming.connections import KEEP_ALIVE
from web.surfaces.native_events import NativeEvent
from web.surfaces.openai.chat.completion import END, CompletionStream

TURN = Turn.from_record(
    "turn_" + "a" * 32,
    {
        "session": "-/-/s",
        "session_id": "s",
        "sequence": "1",
        "status": "in_progress",
        "attempt": "1",
        "claims": "1",
        "assistant": "default",
        "input": "hello",
        "variables": "{}",
        "accepted_at": "1700000000000",
    },
)
USAGE = {"input_tokens": 2, "output_tokens": 3, "total_tokens": 5, "cached_tokens": 1, "reasoning_tokens": 0}


def delta(text: str) -> NativeEvent:
    return NativeEvent("delta", {"text": text})


def done(status: str = "completed", answer: str = "ab", **more: Any) -> NativeEvent:
    turn = {"status": status, "status_reason": None, "error": None, "usage": USAGE, "output": {"content": answer}}
    return NativeEvent("done", {"turn": {**turn, **more}})


def stream(*events: NativeEvent, includes_usage: bool = False) -> list[Any]:
    return [parse(chunk) for chunk in CompletionStream(TURN, includes_usage).chunks(events)]


def parse(chunk: bytes) -> Any:
    return chunk if chunk in {END, KEEP_ALIVE} else json.loads(chunk.removeprefix(b"data: "))


def text_of(chunks: Iterable[Any]) -> str:
    return "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks if isinstance(chunk, dict))


def test_role_text_reason_and_end_follow_each_other() -> None:
    first, *rest, last, end = stream(NativeEvent("status", {}), delta("a"), NativeEvent(), delta("b"), done())
    assert first == {
        "id": "chatcmpl-" + "a" * 32,
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "default",
        "system_fingerprint": None,
        "choices": [
            {
                "index": 0,
                "delta": {"role": "assistant", "content": "", "refusal": None},
                "logprobs": None,
                "finish_reason": None,
            }
        ],
    }
    assert (text_of(rest), KEEP_ALIVE in rest) == ("ab", True)
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"], end) == ({}, "stop", END)


def test_the_usage_comes_last_if_it_is_asked_for() -> None:
    *chunks, usage, end = stream(done(), includes_usage=True)
    assert all(chunk["usage"] is None for chunk in chunks)
    assert (usage["choices"], end) == ([], END)
    assert usage["usage"]["prompt_tokens_details"] == {"cached_tokens": 1}
    assert stream(done(usage=None), includes_usage=True)[-2]["usage"] is None


def test_text_that_was_not_streamed_is_sent_at_the_end() -> None:
    assert text_of(stream(delta("a"), done(answer="abc"))) == "abc"
    assert stream(done(status_reason="length"))[-2]["choices"][0]["finish_reason"] == "length"


def test_reasoning_has_its_own_field() -> None:
    reasoning = stream(NativeEvent("reasoning", {"text": "hm"}), done())[1]
    assert reasoning["choices"][0]["delta"] == {"reasoning_content": "hm"}


def test_a_reset_before_the_first_text_is_not_seen() -> None:
    assert text_of(stream(NativeEvent("reset", {}), delta("ab"), done())) == "ab"


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([delta("a"), NativeEvent("reset", {}), delta("b")], "answer_withdrawn"),
        ([delta("x"), done()], "answer_withdrawn"),
        ([done("failed", error={"code": "provider_error", "message": "It failed."}, output=None)], "provider_error"),
        ([done("cancelled", output=None)], "cancelled"),
        ([done("incomplete")], "incomplete"),
        ([NativeEvent("done", {"turn": None})], "session_erased"),
        ([delta("a")], "stream_cut_off"),
    ],
)
def test_what_cannot_end_well_ends_with_an_error(events: list[NativeEvent], code: str) -> None:
    *_, last = stream(*events)
    assert (last["error"]["code"], last["error"]["type"]) == (code, "server_error")
