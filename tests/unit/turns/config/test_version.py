"""The version of the service."""

import inturn
from turns.config.version import VERSION


def test_service_and_client_have_the_same_version() -> None:
    assert inturn.__version__ == VERSION
