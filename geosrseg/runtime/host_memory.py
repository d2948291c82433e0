"""Memory available to this process."""

from pathlib import Path

import psutil

CGROUPS = (
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)
"""Files with limit and use of a container's memory, for control groups version 2 and 1."""


def available_memory() -> int:
    """Return the bytes available within the limits of the machine and the container."""
    free = [psutil.virtual_memory().available]
    for limit, used in CGROUPS:
        try:
            free.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
        except (OSError, ValueError):  # no such version, or the word "max"
            continue
    return max(min(free), 0)
