"""The memory that this process may still take."""

from pathlib import Path

import psutil

CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Limit and use of the control group, in version 2 and 1: what containers are held to."""


def available_memory() -> int:
    """Bytes that are free, or can be freed, inside all limits of machine and container."""
    free = [psutil.virtual_memory().available]
    for limit, used in CGROUPS:
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such version, or the word "max"
            continue
    return max(min(free), 0)
