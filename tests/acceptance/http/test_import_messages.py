"""`PUT /v1/sessions/{session_id}/messages`, called without the Python client."""

from contextlib import closing
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.processes import HttpResponse, Stack, call

QUESTION = {"role": "user", "content": "What does cosine mean?"}
ANSWER = {"role": "assistant", "content": "A ratio.", "turn_id": "turn_" + "a" * 32}


def put(stack: Stack, session_id: str, body: Any) -> HttpResponse:
    return call(f"{stack.url}/v1/sessions/{session_id}/messages", method="PUT", body=body)


def test_a_session_starts_with_the_imported_messages(stack: Stack) -> None:
    first = put(stack, "moved", {"messages": [QUESTION, ANSWER]})
    assert (first.status, first.body["object"], first.body["message_count"]) == (201, "session", 2)
    again = put(stack, "moved", {"messages": [QUESTION, ANSWER]})
    assert (again.status, again.body["message_count"]) == (200, 2)
    assert [(m["number"], m["role"], m["content"], m["turn_id"]) for m in stack.messages("moved")] == [
        (1, "user", QUESTION["content"], None),
        (2, "assistant", ANSWER["content"], ANSWER["turn_id"]),
    ]
    stack.wait_until_finished(stack.submit("moved", "What's its inverse"))
    prompt = [message["content"] for message in stack.model_requests()[-1]["messages"]]
    assert prompt[1:] == [QUESTION["content"], ANSWER["content"], "What's its inverse"]
    assert put(stack, "moved", {"messages": [QUESTION]}).body["code"] == "session_not_empty"


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "body: must be JSON"),
        ([QUESTION], "body: must be a JSON object"),
        ({}, "messages: is required"),
        ({"messages": []}, "messages: must not be empty"),
        ({"messages": [QUESTION] * 10_001}, "messages: has too many entries"),
        ({"messages": [QUESTION], "replace": True}, "replace: is not known; known fields: messages"),
        ({"messages": ["hello"]}, "messages.0: "),
        ({"messages": [ANSWER, QUESTION]}, "messages.0.role: must be user"),
        ({"messages": [QUESTION, {**ANSWER, "role": "system"}]}, "messages.1.role: must be 'user' or 'assistant'"),
        ({"messages": [QUESTION, {"role": "assistant"}]}, "messages.1.content: is required"),
        ({"messages": [{**QUESTION, "content": ["x"]}]}, "messages.0.content: must be text"),
        ({"messages": [{**QUESTION, "content": "a\0"}]}, "messages.0.content: must not contain the NUL"),
        ({"messages": [{**QUESTION, "content": "x" * 1_048_577}]}, "messages.0.content: must be at most"),
        ({"messages": [{**QUESTION, "turn_id": "turn_1"}]}, "messages.0.turn_id: "),
        ({"messages": [{**QUESTION, "contnt": "x"}]}, "messages.0.contnt: is not known; did you mean content?"),
    ],
)
def test_a_wrong_import_names_the_field_and_stores_nothing(stack: Stack, body: Any, detail: str) -> None:
    answer = put(stack, "wrong", body)
    assert (answer.status, answer.body["code"]) == (400, "invalid_request")
    assert answer.body["detail"].startswith(detail)
    assert call(f"{stack.url}/v1/sessions/wrong").status == 404


def test_a_body_that_is_too_large_or_not_json_is_refused(stack: Stack) -> None:
    url = f"{stack.url}/v1/sessions/large/messages"
    kind = {"Content-Type": "application/json", "Content-Length": str(8 * 1024 * 1024 + 1)}
    with closing(HTTPConnection(urlsplit(url).netloc, timeout=20)) as connection:
        connection.request("PUT", urlsplit(url).path, headers=kind)
        assert connection.getresponse().status == 413, "before the body was sent"
    assert call(url, method="PUT", body=b"{}", headers={"Content-Type": "text/plain"}).status == 415
    assert put(stack, "a%20b", {"messages": [QUESTION]}).body["detail"].startswith("session_id: ")


def test_the_log_has_the_number_of_messages_but_no_text(stack: Stack) -> None:
    put(stack, "logged", {"messages": [{"role": "user", "content": "a secret of mine"}]})
    [line] = [line for line in stack.logs().splitlines() if "session.imported" in line and "logged" in line]
    assert "messages=1" in line or '"messages": 1' in line
    assert "a secret of mine" not in stack.logs()
