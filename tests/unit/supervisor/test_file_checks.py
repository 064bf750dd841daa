"""The doctor compares the directories of files that the running processes see."""

from supervisor.doctor.file_checks import check_files
from supervisor.doctor.finding import Verdict
from turns.config.settings import Settings
from turns.processes.record import ProcessRecord

NOW = 1_000_000


def process(files: str | None, *, host: str = "a", seen_at: int = NOW) -> ProcessRecord:
    return ProcessRecord(name=f"{host}:1:x:web", kind="web", host=host, seen_at=seen_at, files=files)


def verdicts(*processes: ProcessRecord, files: str = "") -> list[Verdict]:
    return [found.verdict for found in check_files(processes, Settings(files=files), now_ms=NOW)]


def test_different_directories_are_wrong() -> None:
    assert verdicts(process("1"), process("1", host="b")) == [Verdict.OK]
    assert verdicts(process("1"), process("2", host="b")) == [Verdict.WRONG]
    assert verdicts(process("1"), process("", host="b")) == [Verdict.WRONG]
    assert verdicts(process("1"), process("2", seen_at=0)) == [Verdict.OK]


def test_a_directory_that_cannot_be_written_is_a_note() -> None:
    assert verdicts(process("")) == [Verdict.NOTE]


def test_nothing_is_found_without_uploads() -> None:
    assert verdicts(process("1"), process("2"), files="off") == []
    assert verdicts(process(None)) == []
