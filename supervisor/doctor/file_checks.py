"""Check that all processes see the same uploaded files."""

from collections.abc import Iterator, Sequence

from supervisor.doctor.finding import Finding, Verdict
from turns.config.settings import Settings
from turns.processes.record import ProcessRecord

REMEDY = "mount one shared directory in all of them, and set INTURN_FILES=file:DIR"


def check_files(processes: Sequence[ProcessRecord], settings: Settings, *, now_ms: int) -> Iterator[Finding]:
    """Yield the finding about the directories that the running processes see, unless no files can be uploaded."""
    recent = [process for process in processes if process.is_recent(now_ms) and process.files is not None]
    if settings.files_directory is None or not recent:
        return
    seen = {process.files for process in recent}
    if len(seen) > 1:
        hosts = ", ".join(sorted({process.host for process in recent}))
        yield Finding(Verdict.WRONG, "files", f"the processes on {hosts} see different directories of files", REMEDY)
    elif seen == {""}:
        observed = f"{settings.files_directory} cannot be written, so no file can be uploaded"
        yield Finding(Verdict.NOTE, "files", observed, "set INTURN_FILES=file:DIR, or off")
    else:
        yield Finding(Verdict.OK, "files", f"all processes see {settings.files_directory}")
