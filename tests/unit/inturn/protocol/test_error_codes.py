"""The table of error codes and the classes for them."""

import pytest

from inturn import errors
from inturn.errors import InTurnError, InvalidRequest, ServiceBroken, Unavailable
from inturn.protocol.error_codes import ERRORS, error_class
from turns.domain import errors as service_errors


def test_every_code_of_the_service_has_a_class_of_the_same_name() -> None:
    served = {
        (error.status, error.code, name) for name, error in vars(service_errors).items() if hasattr(error, "code")
    }
    assert {(status, code, error.__name__) for status, code, error in ERRORS} == served


@pytest.mark.parametrize(
    ("status", "error"),
    [(502, Unavailable), (503, Unavailable), (413, InvalidRequest), (429, errors.TooMany), (500, ServiceBroken)],
)
def test_without_a_known_code_the_status_decides(status: int, error: type[InTurnError]) -> None:
    assert error_class(status, None) is error_class(status, "a_code_of_a_later_version") is error


def test_only_this_service_says_that_a_request_is_wrong() -> None:
    assert error_class(404, "a_code_of_a_later_version") is InvalidRequest
    assert error_class(404, None) is ServiceBroken
