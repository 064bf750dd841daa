"""CPU time and memory of processes and process groups, from /proc."""

import os
from collections.abc import Iterator
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def group_cpu_seconds(group: int) -> float:
    """Return user and system time of a process group, including its children that have exited."""
    return sum(_cpu_seconds(fields) for fields in _all_stats() if int(fields[2]) == group)


def process_cpu_seconds(pid: int) -> float:
    return _cpu_seconds(_fields(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")))


def group_memory_mb(group: int) -> float:
    """Return the resident memory of all processes of a group."""
    return sum(_group_memory_bytes(group)) / 1e6


def largest_process_mb(group: int) -> float:
    """Return the resident memory of the largest process of a group."""
    return max(_group_memory_bytes(group)) / 1e6


def _group_memory_bytes(group: int) -> Iterator[int]:
    return (int(fields[21]) * PAGE_BYTES for fields in _all_stats() if int(fields[2]) == group)


def _all_stats() -> Iterator[list[str]]:
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            yield _fields(path.read_text(encoding="utf-8", errors="replace"))
        except OSError:  # the process has just exited
            continue


def _fields(stat: str) -> list[str]:
    """Return the fields of proc_pid_stat(5) from the third on.

    The second field is the name of the program in brackets. It may contain spaces and brackets.
    """
    return stat.rpartition(")")[2].split()


def _cpu_seconds(fields: list[str]) -> float:
    return sum(int(ticks) for ticks in fields[11:15]) / TICKS_PER_SECOND
