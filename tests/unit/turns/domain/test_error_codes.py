"""The message of a failed turn names the model and the status of the provider's error."""

import pytest

from turns.domain.error_codes import MESSAGES, Code, error_message


@pytest.mark.parametrize(
    ("code", "status", "details"),
    [
        (Code.PROVIDER_MODEL_NOT_FOUND, 404, " (model: m, HTTP status: 404)"),
        (Code.PROVIDER_TIMEOUT, None, " (model: m)"),
        (Code.CONTEXT_TOO_LONG, 413, " (model: m, HTTP status: 413)"),
        (Code.CHAIN_ERROR, None, ""),
    ],
)
def test_the_message_names_model_and_status(code: Code, status: int | None, details: str) -> None:
    assert error_message(code, model="m", provider_status=status) == MESSAGES[code] + details
    assert error_message(code, model=None, provider_status=None) == MESSAGES[code]
