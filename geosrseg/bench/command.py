"""The whole command ``geosrseg predict``, measured from outside."""

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
        seconds: from its start to its end, Python's own start included.
        network_seconds: spent inside the network, see `Prediction`.
        peak_bytes: the most memory that it held; None where nothing tells it.
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
    """Map a scene in its own process, in the window and with the seams of the model.

    Args:
        scene: what is mapped.
        output: the class map.
        model: an ONNX file.
        device: as in ``--device``.
        precision: of the arithmetic.
        layers: what is written besides the class map, of `mapping.layers.layers.LAYERS`.

    Raises:
        GeosrsegError: the command failed; the message is its own.
    """
    # -P: a module of the current folder is nobody's to run.
    words = [
        sys.executable,
        "-P",
        "-m",
        "geosrseg",
        "predict",
        scene,
        "-o",
        output,
        "--model",
        model,
    ]
    words += ["--device", device, "--precision", precision, "--overwrite", "--json"]
    words += [f"--{layer}" for layer in layers]
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        begin = time.perf_counter()
        process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=err)
        peak = _wait(process)
        seconds = time.perf_counter() - begin
        for stream in (out, err):
            stream.seek(0)
        if process.returncode:
            reason = err.read().strip() or f"it ended with {process.returncode}"
            raise GeosrsegError(f"predict on {device} in {precision} failed: {reason}")
        network_seconds = float(json.load(out)["network_seconds"])
    return CommandRun(seconds, network_seconds, peak)


def _wait(process: subprocess.Popen[bytes]) -> int | None:
    """Wait for a process; returns its peak memory."""
    if not hasattr(os, "wait4"):  # not POSIX
        process.wait()
        return None
    try:
        _, status, usage = os.wait4(process.pid, 0)
    except BaseException:  # an interruption is not the process's alone
        process.terminate()
        process.wait()
        raise
    process.returncode = os.waitstatus_to_exitcode(status)
    return peak_bytes(usage.ru_maxrss)
