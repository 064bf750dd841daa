import json

from tests.support.records import record
from turns.domain.state import Status
from turns.operations.timeline import read_runs

EARLIER = ["1", "1", "w1", "m", "1000", "", "2000", "retry", "provider_error"]
LAST = {"claims": "2", "worker": "w2", "model": "m", "started_at": "3000"}


def test_a_turn_without_a_run_has_no_runs() -> None:
    assert read_runs(record(Status.QUEUED)) == []


def test_a_running_run_has_no_end() -> None:
    earlier, last = read_runs({**record(Status.IN_PROGRESS), **LAST, "runs": json.dumps([EARLIER])})
    assert (earlier.first_token_at, earlier.ended_at, earlier.ended_by, earlier.code) == (
        None,
        2000,
        "retry",
        "provider_error",
    )
    assert (last.number, last.worker, last.started_at, last.ended_at, last.ended_by) == (2, "w2", 3000, None, None)


def test_the_last_run_ends_with_the_status_of_its_turn() -> None:
    ended = {"first_token_at": "3500", "finished_at": "4000", "error_code": "chain_error"}
    [run] = read_runs({**record(Status.FAILED), **LAST, **ended})
    assert (run.first_token_at, run.ended_at, run.ended_by, run.code) == (3500, 4000, "failed", "chain_error")


def test_a_turn_that_waits_again_has_only_earlier_runs() -> None:
    """The script deletes the worker from the record and adds the run to `runs`."""
    [run] = read_runs({**record(Status.QUEUED), "started_at": "1000", "runs": json.dumps([EARLIER])})
    assert run.number == 1
