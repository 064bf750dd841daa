"""A worker runs no more turns at once than it can open files for."""

import resource

import pytest
from structlog.testing import capture_logs

from turns.config.settings import Settings
from worker.app import FILES_PER_TURN, RESERVED_FILES, limit_concurrency

INFINITE = resource.RLIM_INFINITY


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Return the limits of this process; the last ones count, and only a higher hard limit is refused."""
    limits: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])
    monkeypatch.setattr(resource, "setrlimit", lambda _, wanted: limits.append(wanted))
    return limits


@pytest.mark.parametrize(
    ("found", "wanted", "raised", "concurrency"),
    [
        ((1024, INFINITE), 2000, RESERVED_FILES + FILES_PER_TURN * 2000, 2000),
        ((1024, 65_536), 200, None, 200),
        ((INFINITE, INFINITE), 2000, None, 2000),
        ((1024, 2192), 2000, 2192, 1000),
        ((64, 64), 200, 64, 1),
    ],
)
def test_the_file_limit_is_raised_and_bounds_the_turns(
    limits: list[tuple[int, int]], found: tuple[int, int], wanted: int, raised: int | None, concurrency: int
) -> None:
    limits.append(found)
    with capture_logs() as logs:
        assert limit_concurrency(Settings(concurrency=wanted)).concurrency == concurrency
    assert limits[1:] == ([] if raised is None else [(raised, found[1])])
    assert [log["concurrency"] for log in logs] == ([] if concurrency == wanted else [concurrency])
