"""Conversion of responses to values and errors."""

import json
import warnings

import pytest

from inturn import errors
from inturn.errors import ServiceBroken, Unavailable
from inturn.protocol.parsing import parse, retry_after_seconds, to_assistant, to_error, to_unanswered, turn_fields
from inturn.protocol.requests import Response
from inturn.values import TurnData


def test_an_error_carries_the_details_of_the_response() -> None:
    problem = {
        "type": "urn:inturn:problem:turn_not_found",
        "detail": "There is no such turn.",
        "code": "turn_not_found",
        "request_id": "r1",
        "status": 404,
    }
    error = to_error(Response(status=404, headers={"retry-after": "7"}, body=json.dumps(problem).encode()))
    assert isinstance(error, errors.TurnNotFound)
    assert (error.status, error.code, error.request_id, error.retry_after_seconds) == (404, "turn_not_found", "r1", 7)
    assert str(error) == "There is no such turn. (turn_not_found, request r1)"


def test_what_the_service_leaves_out_is_a_warning() -> None:
    def response(missing: list[int]) -> Response:
        body = {"data": [], "after": None, "missing_partitions": missing}
        return Response(status=200, headers={}, body=json.dumps(body).encode())

    with pytest.warns(errors.PartitionsAway, match=r"these partitions .* missing: 16, 17\.$"):
        assert parse(response([16, 17]), lambda body: body["data"]) == []
    with warnings.catch_warnings(action="error"):
        parse(response([]), lambda body: body["data"])


@pytest.mark.parametrize("status", [502, 503, 504])
def test_an_error_page_of_a_proxy_is_an_error_too(status: int) -> None:
    assert type(to_error(Response(status=status, headers={}, body=b"<html>Bad gateway</html>"))) is Unavailable


@pytest.mark.parametrize(
    "body",
    [
        b"<html>Not found</html>",
        b"",
        b"[]",
        b'{"detail": "Not Found"}',
        b'{"code": "turn_not_found", "detail": "Not Found"}',
        b'{"type": "about:blank", "code": ["x"], "detail": "Not Found"}',
    ],
)
@pytest.mark.parametrize("status", [400, 404, 405])
def test_an_error_of_another_service_is_not_a_refusal(body: bytes, status: int) -> None:
    error = to_error(Response(status=status, headers={"x-request-id": "r1"}, body=body))
    assert type(error) is ServiceBroken
    assert str(error) == f"This is not a response of InTurn (status {status}). Is the URL right? (request r1)"


def test_every_wrong_field_is_a_value_too() -> None:
    wrong = [{"field": "session_id", "rule": "is required"}, {"field": "input", "rule": "must be text"}]
    problem = {"type": "urn:inturn:problem:invalid_request", "detail": "x", "code": "invalid_request", "errors": wrong}
    error = to_error(Response(status=400, headers={}, body=json.dumps(problem).encode()))
    assert isinstance(error, errors.InvalidRequest)
    assert [(e.field, e.rule) for e in error.errors] == [("session_id", "is required"), ("input", "must be text")]


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": 1}', b""])
def test_a_response_without_a_turn_is_an_error(body: bytes) -> None:
    with pytest.raises(ServiceBroken, match="Is the URL right"):
        parse(Response(status=200, headers={}, body=body), turn_fields)


def test_fields_that_an_older_service_lacks_have_defaults() -> None:
    body = {"id": "turn_1", "session_id": "s", "status": "queued", "input": "hi", "accepted_at": "2026-11-25T08:00:00Z"}
    turn = TurnData(**turn_fields(body))
    assert (turn.lane, turn.attempt, turn.output, turn.queue) == ("interactive", 1, None, None)
    declared = {"name": "default", "model": "m", "variables": {"ability": {"required": True, "default": None}}}
    assistant = to_assistant(declared)
    assert (assistant.lane, assistant.description, assistant.max_input_bytes) == ("interactive", "", 0)
    assert (assistant.variables["ability"].description, assistant.variables["ability"].max_length) == ("", None)


def test_retry_after_can_be_a_date() -> None:
    headers = {"retry-after": "Wed, 25 Nov 2026 08:00:10 GMT", "date": "Wed, 25 Nov 2026 08:00:00 GMT"}
    assert retry_after_seconds(Response(status=503, headers=headers)) == 10
    assert retry_after_seconds(Response(status=503, headers={"retry-after": "soon"})) is None


def test_a_question_without_an_answer_has_its_error() -> None:
    body = {
        "turn_id": "turn_1",
        "after": 2,
        "content": "hello",
        "truncated": False,
        "status": "failed",
        "error": {"code": "worker_lost", "message": "The workers stopped."},
        "accepted_at": "2026-11-28T12:00:00.000Z",
    }
    question = to_unanswered(body)
    assert (question.turn_id, question.after, question.error_code) == ("turn_1", 2, "worker_lost")
    assert to_unanswered({**body, "status": "cancelled", "error": None}).error_code is None
