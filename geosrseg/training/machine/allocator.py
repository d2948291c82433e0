"""The allocator of glibc, told to keep the memory of a training step for the next one.

A step frees and takes gigabytes of activations. By default glibc gets every large tensor
from the kernel and gives it back, and each time all its pages are mapped and zeroed again:
a third to a half of a step on the CPU. See ``mallopt(3)``.
"""

import ctypes

M_TRIM_THRESHOLD = -1
M_TOP_PAD = -2
M_MMAP_MAX = -4

NEVER = -1  # as a threshold
PAD = 256 * 2**20
"""Bytes by which the heap grows at least."""


def keep_freed_memory() -> bool:
    """Have this process keep freed memory, until it ends; True where that is possible.

    Other platforms than glibc's have no such setting and are left as they are.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    settings = ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, NEVER), (M_TOP_PAD, PAD))
    return all(mallopt(setting, value) == 1 for setting, value in settings)
