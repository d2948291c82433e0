"""Allocator: makes glibc keep the memory of a training step for the next step.

A step allocates and frees gigabytes of activations. By default glibc requests every large
tensor from the kernel and returns it afterwards, and the kernel maps and zeroes its pages each
time: a third to a half of a step on the CPU. See ``mallopt(3)``.
"""

import ctypes

M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4

NEVER = -1  # as a threshold
PAD = 256 * 2**20
"""Least growth of the heap, in bytes."""


def keep_freed_memory() -> bool:
    """Make this process keep freed memory until it ends; False on platforms without glibc."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, PAD))
    return all(mallopt(setting, value) == 1 for setting, value in settings)
