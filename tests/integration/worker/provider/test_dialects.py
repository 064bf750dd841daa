"""Turns with providers that write OpenAI's format in their own way, on raw sockets: the answer, or the error."""

import gzip
import json
import socket
import struct
import time
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.raw_provider import COUNTED, HELLO, STREAM, USAGE, WHOLE, Ask, chunk, error_of, events, sends
from turns.domain.assistant import Assistant
from turns.domain.run.retry import FALLBACK_CODES


@pytest.mark.parametrize(
    "chunks",
    [
        [*HELLO, chunk({}, "stop", usage=USAGE), {"choices": [], "usage": USAGE}],
        [*(chunk({"content": word}, usage={**USAGE, "completion_tokens": 1}) for word in ("Hello", " there")),
         chunk({}, "stop", usage=USAGE)],
        *([*WHOLE, {"choices": [], "usage": USAGE}, {"choices": [], "usage": odd}]
          for odd in (None, "103", [103], 103, {**USAGE, "total_tokens": "103"}, {**USAGE, "prompt_tokens": 0.5},
                      {**USAGE, "completion_tokens": None}, {**USAGE, "completion_tokens": -3})),
        [*WHOLE, {"choices": [], "usage": {**USAGE, "completion_tokens_details": {"reasoning_tokens": "1"}}}],
        [*WHOLE, {"choices": [], "usage": {**USAGE, "prompt_tokens_details": [1]}}],
        [*HELLO, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop", "usage": USAGE}]}],
    ],
)  # fmt: skip
def test_the_last_sound_usage_counts(ask: Ask, chunks: list[Any]) -> None:
    answer = ask(sends(events(*chunks)))
    assert (answer.output, answer.usage) == ("Hello there", COUNTED)


def test_an_answer_is_kept_without_unsound_usage(ask: Ask) -> None:
    answer = ask(sends(events(*WHOLE, {"choices": [], "usage": {**USAGE, "total_tokens": "many"}})))
    assert (answer.output, answer.usage) == ("Hello there", None)


@pytest.mark.parametrize(
    "chunks",
    [
        [*WHOLE, chunk({}, "stop"), chunk({}, "")],
        [chunk({"content": "Hello"}, ""), chunk({"content": " there"}, "stop")],
        [chunk({"content": "Hello"}, "stop"), chunk({"content": " there"}, "stop")],
        [chunk({"role": role, "content": text}) for role in ["model"] for text in ("Hello", " there")] + [WHOLE[-1]],
        [chunk({"role": "user", "content": "Hello there"}), WHOLE[-1]],
        [chunk({"role": "tool", "content": "Hello"}), *WHOLE[1:]],
        [chunk({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]}), *WHOLE],
        [chunk({"content": [{"type": "text", "text": "Hello"}]}), chunk({"content": [{"text": " there"}]}), WHOLE[-1]],
        [chunk({"content": None, "refusal": "Hello"}), chunk({"refusal": " there"}), WHOLE[-1]],
        [chunk({"content": None, "reasoning_content": "hm"}), *WHOLE],
        [{"model": "m", "choices": [{"message": {"role": "assistant", "content": "Hello there"},
                                     "finish_reason": "stop"}]}],
        [*HELLO, chunk(None), {"choices": None}, chunk({}, "eos")],
        [*HELLO, chunk({}, "STOP")],
        [*HELLO, chunk({}, "")],
        [*HELLO, chunk({"content": ""}, ""), {"choices": [], "usage": None}],
    ],
)  # fmt: skip
def test_dialects_of_chunks_are_understood(ask: Ask, chunks: list[Any]) -> None:
    answer = ask(sends(events(*chunks)))
    assert (answer.output, answer.model, answer.status_reason) == ("Hello there", "m", None)


@pytest.mark.parametrize(
    "body",
    [
        events(*HELLO, chunk({}, ""), done=False),
        events(chunk({"content": "Hello"}, ""), chunk({"content": " there"})),
        events(chunk({"content": "Hello"}, ""), HELLO[1], chunk({}, None)),
    ],
)
def test_an_empty_reason_before_the_end_ends_no_answer(ask: Ask, body: bytes) -> None:
    assert error_of(ask, sends(body)).code == "incomplete_answer"


def test_a_finish_reason_of_the_assistant_is_accepted(ask: Ask) -> None:
    sent = sends(events(*HELLO, chunk({}, "Fertig")))
    assert ask(sent, Assistant(name="a", finish_reasons=("fertig",))).output == "Hello there"
    assert error_of(ask, sent).code == "provider_protocol"


@pytest.mark.parametrize("reason", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_a_truncated_answer_has_the_reason_length(ask: Ask, reason: str) -> None:
    assert ask(sends(events(*HELLO, chunk({}, reason)))).status_reason == "length"


def resets(connection: socket.socket) -> None:
    sends(events(*WHOLE, done=False), ends=False)(connection)
    time.sleep(0.1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def hangs(connection: socket.socket) -> None:
    sends(events(*WHOLE, done=False), ends=False)(connection)
    connection.recv(1)


def keeps_alive(connection: socket.socket) -> None:
    hold = [b": keep-alive\n\n", b"data: {}\n\n", events(chunk({}), done=False)] * 30
    sends(events(*WHOLE, done=False), *hold)(connection)


AFTER_THE_FINISH_REASON = {
    "it hangs": hangs,
    "it is reset": resets,
    "it is cut": sends(events(*WHOLE, done=False), ends=False),
    "only keep-alives follow": keeps_alive,
    "garbage follows": sends(events(*WHOLE, "{broken", "[1]", {"error": "too late"})),
    "it hangs after the end": lambda connection: (sends(events(*WHOLE), ends=False)(connection), connection.recv(1)),
}


@pytest.mark.parametrize("ending", AFTER_THE_FINISH_REASON)
def test_an_answer_with_a_finish_reason_is_whole(ask: Ask, ending: str) -> None:
    """The client waits half a second for more, and neither for the end nor for the limits of half a minute."""
    started = time.monotonic()
    assert ask(AFTER_THE_FINISH_REASON[ending]).output == "Hello there"
    assert time.monotonic() - started < 15


def test_usage_soon_after_the_finish_reason_is_counted(ask: Ask) -> None:
    usage = events({"choices": [], "usage": USAGE})
    assert ask(sends(events(*WHOLE, done=False), usage, pause=0.05)).usage == COUNTED


def test_text_after_a_finish_reason_is_not_lost(ask: Ask) -> None:
    words = [events(chunk({"content": f"{n} "}, "stop"), done=False) for n in range(5)]
    assert ask(sends(*words, pause=0.15)).output == "0 1 2 3 4 "


ERRORS = [
    ({"error": {"message": "no", "code": "content_filter"}}, "content_filtered"),
    ({"error": {"message": "The response was filtered due to the content management policy"}}, "content_filtered"),
    ({"error_type": "content_policy_violation", "error_message": "no"}, "content_filtered"),
    ({"error": {"message": "x", "code": "context_length_exceeded"}}, "context_too_long"),
    ({"object": "error", "message": "This model's maximum context length is 4096 tokens", "code": 400},
     "context_too_long"),
    ({"error": {"message": "Your input exceeds the context window of this model"}}, "context_too_long"),
    ({"error": {"message": "x", "code": "insufficient_quota"}}, "provider_quota"),
    ({"error": {"message": "Insufficient credits", "code": 402}}, "provider_quota"),
    ({"error": {"message": "x", "code": 401}}, "provider_authentication"),
    ({"error": {"message": "x", "type": "authentication_error"}}, "provider_authentication"),
    ({"error": {"message": "x", "code": 429}}, "provider_rate_limited"),
    ({"type": "error", "error": {"type": "rate_limit_error", "message": "x"}}, "provider_rate_limited"),
    ({"error": {"message": "The model `x` does not exist", "code": 404}}, "provider_model_not_found"),
    ({"error": {"message": "x", "type": "invalid_request_error"}}, "provider_rejected"),
    ({"error": {"message": "x", "code": "500"}}, "provider_error"),
    ({"error": "it broke"}, "provider_error"),
    ({"error": True}, "provider_error"),
    ({"code": "InternalError", "message": "x"}, "provider_error"),
    ({"detail": "it broke"}, "provider_error"),
    (chunk({}, "error"), "provider_error"),
    (chunk({"content": ""}, "content_filter"), "content_filtered"),
    (chunk({"content": ""}, "SAFETY"), "content_filtered"),
]  # fmt: skip


@pytest.mark.parametrize(("reported", "code"), ERRORS)
def test_an_error_in_a_stream_has_its_own_code(ask: Ask, reported: Any, code: str) -> None:
    error = error_of(ask, sends(events(*HELLO, reported)))
    assert error.code == code


def test_a_rate_limit_in_a_stream_names_its_delay(ask: Ask) -> None:
    reported = {"error": {"code": 429, "message": "Slow down", "metadata": {"headers": {"Retry-After": "7"}}}}
    error = error_of(ask, sends(events(*HELLO, reported)))
    assert (error.code, error.retry_after_seconds) == ("provider_rate_limited", 7)


def test_a_quota_that_is_refilled_is_a_rate_limit(ask: Ask) -> None:
    """Google's words for both are the same."""
    quota = {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your current quota."}
    retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}
    body = json.dumps([{"error": {**quota, "details": [retry]}}]).encode()
    head = b"HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    error = error_of(ask, lambda connection: connection.sendall(head + body))
    assert (error.code, error.retry_after_seconds) == ("provider_rate_limited", 3)


def test_an_event_named_error_is_an_error(ask: Ask) -> None:
    reported = b'event: error\ndata: {"message": "x", "code": "content_filter"}\n\n'
    assert error_of(ask, sends(events(*HELLO, done=False), reported)).code == "content_filtered"


def test_a_filtered_answer_is_not_sent_to_another_model() -> None:
    assert "content_filtered" not in FALLBACK_CODES


def test_an_error_response_with_status_200_is_classified(ask: Ask) -> None:
    body = json.dumps({"error": {"message": "x", "code": "insufficient_quota"}}).encode()
    assert error_of(ask, sends(body, header="Content-Type: application/json")).code == "provider_quota"


BODY = events(*WHOLE)
FRAMINGS = {
    "lines end with CRLF": [BODY.replace(b"\n", b"\r\n")],
    "lines end with CR": [BODY.replace(b"\n", b"\r")],
    "CR and LF come apart": [piece for part in BODY.split(b"\n") for piece in (part + b"\r", b"\n")],
    "a byte-order mark": [b"\xef\xbb\xbf" + BODY],
    "a byte-order mark in pieces": [b"\xef", b"\xbb", b"\xbf" + BODY],
    "several data lines": [b"id: 1\nretry: 5\nevent: message\n" + b"".join(
        b"data: %s\n" % line for line in json.dumps(one, indent=1).encode().split(b"\n")) + b"\n" for one in WHOLE],
    "no space": [BODY.replace(b"data: ", b"data:")],
    "comments": [b": ping\n\n:\n", BODY.replace(b"\n\n", b"\n: ping\n\n")],
    "keep-alives as data": [b"data:\n\ndata: null\n\nevent: ping\ndata: {}\n\ndata: ping\n\ndata: \"\"\n\n" + BODY],
    "no last newline": [events(*WHOLE, done=False).rstrip()],
}  # fmt: skip


@pytest.mark.parametrize("framing", FRAMINGS)
def test_event_streams_of_any_framing_are_read(ask: Ask, framing: str) -> None:
    assert ask(sends(*FRAMINGS[framing], pause=0.01)).output == "Hello there"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "123456789012345678901234567890"])
def test_odd_numbers_are_read(ask: Ask, number: str) -> None:
    first = json.dumps(HELLO[0])[:-1] + f', "timing": {number}}}'
    assert ask(sends(events(first, *WHOLE[1:]))).output == "Hello there"


def test_halves_of_a_character_are_joined(ask: Ask) -> None:
    halves = [json.dumps(chunk({"content": "?"})).replace("?", half) for half in ("\\ud83d", "\\ude00")]
    assert ask(sends(events(chunk({"content": "Hi "}), *halves, chunk({"content": "!"}, "stop")))).output == "Hi 😀!"


def test_half_a_character_is_replaced(ask: Ask) -> None:
    half = json.dumps(chunk({"content": "?"})).replace("?", "\\ud83d")
    answer = ask(sends(events(chunk({"content": "Hi "}), half, chunk({"content": "!"}, "stop"))))
    assert answer.output == "Hi \ufffd!"


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "encode"), [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)]
)
def test_a_compressed_stream_is_read(ask: Ask, encoding: str, encode: Callable[[bytes], bytes]) -> None:
    body = encode(BODY)
    header = f"{STREAM}\r\nContent-Encoding: {encoding}"
    assert ask(sends(*(body[at : at + 20] for at in range(0, len(body), 20)), header=header, pause=0.01)).output


def test_a_compressed_error_is_classified(ask: Ask) -> None:
    body = gzip.compress(json.dumps({"error": {"message": "x", "code": "context_length_exceeded"}}).encode())
    head = b"HTTP/1.1 400 Bad Request\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert error_of(ask, lambda connection: connection.sendall(head + body)).code == "context_too_long"


def test_many_and_long_headers_are_read(ask: Ask) -> None:
    header = "\r\n".join([STREAM, *(f"X-{n}: {'v' * 50}" for n in range(90)), f"X-Long: {'v' * 20_000}"])
    assert ask(sends(BODY, header=header)).output == "Hello there"


def test_a_whole_completion_is_read_as_a_stream(ask: Ask) -> None:
    message = {"role": "assistant", "content": "Hello there"}
    body = {"model": "m", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": USAGE}
    answer = ask(sends(json.dumps(body, indent=1).encode(), header="Content-Type: application/json"))
    assert (answer.output, answer.usage) == ("Hello there", COUNTED)
