"""The record of a process, and the names of processes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from turns.domain.open_enum import member_or_text
from turns.domain.worker_kind import WorkerKind

RECENT_MS = 30_000  # three missing reports
WEB = "web"  # the kind of a process of the endpoint, beside the kinds of workers


class Ending(StrEnum):
    """How a process ended, as the scripts record it."""

    LEFT = "left"  # it was asked to stop and said goodbye
    VANISHED = "vanished"  # its connections closed without that: it was killed, or crashed


class ProcessState(StrEnum):
    RUNNING = "running"
    DRAINING = "draining"  # it finishes its turns or requests, and exits
    SILENT = "silent"  # it sends no heartbeats, although its connection to the store may still be open
    ENDED = "ended"  # it was asked to stop
    DEAD = "dead"  # its connection to the store has closed without that


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRecord:
    """The report of a process about itself; instants in ms. "" or None if it does not say, as an earlier release.

    `started_at` is the time of its first report, and `seen_at` that of its last one. `slots` is the number of turns
    that a worker can run at once, `model` its default model, `files` the identity of its directory of uploaded files.
    """

    name: str
    kind: WorkerKind | str
    host: str = ""
    version: str = ""
    started_at: int | None = None
    seen_at: int
    slots: int | None = None
    model: str = ""
    files: str | None = None
    memory_bytes: int | None = None
    is_draining: bool = False
    ended_at: int | None = None
    ended_by: Ending | str | None = None

    def is_recent(self, now_ms: int) -> bool:
        """Whether it has reported lately and not ended."""
        return self.ended_at is None and now_ms - self.seen_at <= RECENT_MS

    @classmethod
    def from_record(cls, name: str, record: Mapping[str, str]) -> Self:
        def number(field: str) -> int | None:
            return int(record[field]) if record.get(field) else None

        ended_by = record.get("ended_by")
        return cls(
            name=name,
            kind=WEB if record["kind"] == WEB else member_or_text(WorkerKind, record["kind"]),
            host=record.get("host", ""),
            version=record.get("version", ""),
            started_at=number("started_at"),
            seen_at=int(record["seen_at"]),
            slots=number("slots"),
            model=record.get("model", ""),
            files=record.get("files"),
            memory_bytes=number("memory_bytes"),
            is_draining=record.get("is_draining") == "1",
            ended_at=number("ended_at"),
            ended_by=member_or_text(Ending, ended_by) if ended_by else None,
        )
