import platform
import subprocess
import sys

import pytest

PROGRAM = """
import resource
import numpy as np
from geosrseg.training.machine.allocator import keep_freed_memory

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    np.ones(2**24, np.float32)  # 64 MiB, given back at once
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = [faults() for _ in range(3)][-1]
assert keep_freed_memory()
kept = [faults() for _ in range(3)][-1]
print(usual, kept)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
def test_freed_memory_is_used_again_without_the_kernel():
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, stdout=-1, text=True)
    usual, kept = map(int, done.stdout.split())
    assert kept < usual / 10
