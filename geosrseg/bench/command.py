"""Measures the whole command ``geosrseg predict`` from outside."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geosrseg.bench.process import peak_bytes
from geosrseg.errors import GeosrsegError


@dataclass(frozen=True, slots=True)
class CommandRun:
    """One run of the command.

    Attributes:
        seconds: wall time, including the start of Python.
        network_seconds: time inside the network, see `Prediction`.
        peak_bytes: peak memory; None if unknown.
    """

    seconds: float
    network_seconds: float
    peak_bytes: int | None


def run_predict(
    scene: Path,
    output: Path,
    *,
    model: Path,
    device: str,
    precision: str,
    layers: Sequence[str] = (),
) -> CommandRun:
    """Map a scene in a separate process, with the model's default windows and seams.

    Args:
        device: as in ``--device``.
        precision: as in ``--precision``.
        layers: further outputs, from `mapping.layers.layers.LAYERS`.

    Raises:
        GeosrsegError: the command failed; carries its message.
    """
    # -P keeps Python from importing modules of the current folder.
    words = [sys.executable, "-P", "-m", "geosrseg", "predict", scene, "-o", output]
    words += [
        "--model",
        model,
        "--device",
        device,
        "--precision",
        precision,
        "--overwrite",
        "--json",
    ]
    words += [f"--{layer}" for layer in layers]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=err)
        peak = _wait(process)
        seconds = time.perf_counter() - start
        for stream in (out, err):
            stream.seek(0)
        if process.returncode:
            reason = err.read().strip() or f"it exited with {process.returncode}"
            raise GeosrsegError(f"predict on {device} in {precision} failed: {reason}")
        network_seconds = float(json.load(out)["network_seconds"])
    return CommandRun(seconds, network_seconds, peak)


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """Wait for a process and return its peak memory in bytes; None if unknown."""
    if not hasattr(os, "wait4"):  # not POSIX
        process.wait()
        return None
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:  # such as Ctrl-C: do not leave the process running
        process.terminate()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return peak_bytes(usage.ru_maxrss)
