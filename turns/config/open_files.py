"""The limit of open files, whose usual soft value of 1,024 is too low for a process with many connections."""

import resource


def raise_open_file_limit(wanted: int) -> int:
    """Raise the soft limit to `wanted`, as far as the hard limit permits, and return the new soft limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted if soft == resource.RLIM_INFINITY else soft
    limit = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    return limit
