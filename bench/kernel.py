"""What the kernel counts: CPU and memory of a process, or of a process and all that it started."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(group: int) -> float:
    """User and system time of the processes of a group, with that of their children that have ended."""
    return sum(_seconds(fields) for fields in _stats() if int(fields[2]) == group)


def cpu_seconds_of_one(pid: int) -> float:
    return _seconds(_fields(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")))


def resident_mb(group: int) -> float:
    return sum(int(fields[21]) * PAGE for fields in _stats() if int(fields[2]) == group) / 1e6


def largest_mb(group: int) -> float:
    """Of the largest process of the group."""
    return max(int(fields[21]) * PAGE for fields in _stats() if int(fields[2]) == group) / 1e6


def _stats() -> Iterator[list[str]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield _fields(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:  # it has just ended
            continue


def _fields(stat: str) -> list[str]:
    """Of proc(5), from the third on: the second is a name in brackets, which may hold anything."""
    return stat.rpartition(")")[2].split()


def _seconds(fields: list[str]) -> float:
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS
