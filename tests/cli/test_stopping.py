import signal
import subprocess
import sys
import time

import pytest

# `STUCK` is compiled code that looks up at nothing, and lets other threads run.
PROGRAM = """
import ctypes, sys, time
from geosrseg.cli import stopping
stopping.STUCK, stopping.UNWINDING = 0.1, 0.1
with stopping.stopped_by_signals():
    print("ready", flush=True)
    {work}
"""

WORK = {
    "stuck": "libc = ctypes.CDLL(None); [libc.sleep(60) for _ in range(99)]",
    "unwinding": "\n    try: time.sleep(60)\n    finally: time.sleep(60)",
    "willing": "time.sleep(60)",
}


@pytest.mark.skipif(sys.platform == "win32", reason="it has no such signals")
@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize(("number", "codes"), [("SIGTERM", {143}), ("SIGINT", {130, -2})])
def test_a_signal_ends_whatever_runs(work, number, codes):
    program = PROGRAM.format(work=WORK[work])
    command = [sys.executable, "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        time.sleep(0.1)
        process.send_signal(signal.Signals[number])
        assert process.wait(30) in codes


def test_what_ends_by_itself_is_left_alone():
    program = PROGRAM.format(work="pass") + "time.sleep(0.3)"
    subprocess.run([sys.executable, "-c", program], check=True)
