"""The state of a process of the endpoint, from its last report."""

import pytest

from turns.operations.workers import to_web_process
from turns.processes.record import RECENT_MS, WEB, ProcessRecord, ProcessState

NOW = 1_000_000


@pytest.mark.parametrize(
    ("seen_ms_ago", "is_draining", "state"),
    [
        (0, False, ProcessState.RUNNING),
        (RECENT_MS, True, ProcessState.DRAINING),
        (RECENT_MS + 1, True, ProcessState.ENDED),
        (RECENT_MS + 1, False, ProcessState.SILENT),
    ],
)
def test_an_endpoint_has_ended_if_it_was_asked_to(seen_ms_ago: int, is_draining: bool, state: ProcessState) -> None:
    process = ProcessRecord(name="p", kind=WEB, seen_at=NOW - seen_ms_ago, is_draining=is_draining)
    assert to_web_process(process, now_ms=NOW).state is state
