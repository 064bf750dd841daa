"""The reports of a process, with a store that a test replaces."""

from pathlib import Path
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from turns.backend.script_replies import StoreIdentity
from turns.config.version import VERSION
from turns.processes.reporter import Reporter, read_memory_bytes


class FakeStore:
    def __init__(self) -> None:
        self.identity = StoreIdentity(id="first", since=1, needs_keys=False)
        self.reports: list[dict[str, Any]] = []

    def report_process(self, process: str, **report: Any) -> StoreIdentity:
        self.reports.append({"process": process, **report})
        return self.identity


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def reporter(store: FakeStore) -> Reporter:
    return Reporter(cast(Any, store), "w", "loop", slots="200")


def test_a_report_has_version_slots_and_state(reporter: Reporter, store: FakeStore) -> None:
    reporter.report()
    reporter.drain()
    reporter.report()
    first, second = (report["fields"] for report in store.reports)
    assert (first["version"], first["slots"], first["is_draining"]) == (VERSION, "200", "0")
    assert second["is_draining"] == "1"


def test_another_store_is_logged_once_and_remembered(reporter: Reporter, store: FakeStore) -> None:
    reporter.report()
    assert reporter.replaced_at == {}
    store.identity = StoreIdentity(id="second", since=2, needs_keys=False)
    with capture_logs() as logs:
        reporter.report()
        reporter.report()
    assert [(line["event"], line["before"], line["store"]) for line in logs] == [("store.replaced", "first", "second")]
    assert reporter.replaced_at == {0: 2}


def test_a_process_passes_on_that_callers_need_keys(reporter: Reporter, store: FakeStore) -> None:
    store.identity = StoreIdentity(id="first", since=1, needs_keys=True)
    reporter.report()
    reporter.report()
    assert [report["needs_keys"] for report in store.reports] == [False, True]


def test_memory_is_unknown_without_proc() -> None:
    def raise_error(_path: Path) -> str:
        raise FileNotFoundError

    assert read_memory_bytes(read=raise_error) is None
    assert read_memory_bytes(read=lambda _: "9 2 1 1 0 1 0")
