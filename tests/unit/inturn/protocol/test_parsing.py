"""The client's errors mirror the service's codes."""

import json

import pytest

import inturn
from inturn import errors
from inturn.cli.exit_codes import Exit, of_error
from inturn.errors import InTurnError, InvalidRequest, Refused, ServiceBroken, Unavailable
from inturn.protocol.error_codes import BY_CODE
from inturn.protocol.parsing import read, retry_after_seconds, to_assistant, to_error, turn_fields
from inturn.protocol.requests import Answer
from inturn.values import TurnData
from tools import ROOT
from web.http.problems import PROBLEMS


def test_every_code_of_the_service_has_a_class_of_the_same_name() -> None:
    assert {code: error.__name__ for error, (_, code) in PROBLEMS.items()} == {
        code: error.__name__ for code, error in BY_CODE.items()
    }


def test_an_error_carries_what_the_service_said() -> None:
    problem = {"detail": "There is no such turn.", "code": "turn_not_found", "request_id": "r1", "status": 404}
    error = to_error(Answer(status=404, headers={"retry-after": "7"}, body=json.dumps(problem).encode()))
    assert isinstance(error, errors.TurnNotFound)
    assert (error.status, error.code, error.request_id, error.retry_after_seconds) == (404, "turn_not_found", "r1", 7)
    assert str(error) == "There is no such turn. (turn_not_found, request r1)"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(502, Unavailable), (503, Unavailable), (418, InvalidRequest), (429, errors.TooMany), (500, ServiceBroken)],
)
def test_a_proxys_page_is_sorted_by_its_status(status: int, kind: type[InTurnError]) -> None:
    assert type(to_error(Answer(status=status, headers={}, body=b"<html>Bad gateway</html>"))) is kind


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"id": 1}', b""])
def test_what_is_no_turn_is_not_taken_for_one(body: bytes) -> None:
    with pytest.raises(ServiceBroken, match="Is the URL right"):
        read(Answer(status=200, headers={}, body=body), turn_fields)


def test_what_an_older_service_does_not_say_has_its_default() -> None:
    said = {"id": "turn_1", "session_id": "s", "status": "queued", "input": "hi", "accepted_at": "2026-11-25T08:00:00Z"}
    turn = TurnData(**turn_fields(said))
    assert (turn.lane, turn.attempt, turn.output, turn.queue) == ("interactive", 1, None, None)
    known = {"name": "default", "model": "m", "variables": {"ability": {"required": True, "default": None}}}
    assistant = to_assistant(known)
    assert (assistant.lane, assistant.description) == ("interactive", "")
    assert (assistant.variables["ability"].description, assistant.variables["ability"].max_length) == ("", None)


def test_retry_after_can_be_a_date() -> None:
    headers = {"retry-after": "Wed, 25 Nov 2026 08:00:10 GMT", "date": "Wed, 25 Nov 2026 08:00:00 GMT"}
    assert retry_after_seconds(Answer(status=503, headers=headers)) == 10
    assert retry_after_seconds(Answer(status=503, headers={"retry-after": "soon"})) is None


def test_each_class_is_exported_and_has_an_exit_code() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InTurnError)]
    assert {kind.__name__ for kind in classes} <= set(inturn.__all__)
    page = (ROOT / "docs" / "client.md").read_text(encoding="utf-8")
    assert [kind.__name__ for kind in classes if f"`{kind.__name__}`" not in page.replace("`inturn.", "`")] == []
    for kind in classes:
        assert of_error(kind.__new__(kind)) in set(Exit) - {Exit.OK, Exit.INTERRUPTED}
    assert of_error(Refused("x")) is Exit.REFUSED
