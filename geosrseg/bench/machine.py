"""The machine that a benchmark ran on, and the versions of what it ran."""

import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil
import rasterio

from geosrseg.version import __version__

CPUINFO = Path("/proc/cpuinfo")

MATRIX_FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16")
"""Instructions that decide how fast a CPU multiplies, as Linux names them."""

PACKAGES = ("numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino", "torch", "rasterio")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine.

    Attributes:
        cpu: its name.
        instructions: those of `MATRIX_FLAGS` that it has; empty where nothing tells it.
        cores: that this process may use.
        gpus: names of the NVIDIA GPUs.
        system: the operating system.
        load: processes that ran or waited in the minute before, on average; None where nothing
            tells it.
        versions: of Python and of each package that is installed, by name.
    """

    cpu: str
    instructions: tuple[str, ...]
    cores: int
    memory_bytes: int
    gpus: tuple[str, ...]
    system: str
    load: float | None
    versions: Mapping[str, str]


def describe_machine() -> Machine:
    """The machine that this runs on."""
    info = _cpuinfo()
    flags = info.get("flags", "").split()
    return Machine(
        cpu=info.get("model name") or platform.processor() or platform.machine(),
        instructions=tuple(flag for flag in MATRIX_FLAGS if flag in flags),
        cores=_cores(),
        memory_bytes=psutil.virtual_memory().total,
        gpus=_gpus(),
        system=platform.platform(terse=True),
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        versions=_versions(),
    )


def _cpuinfo() -> dict[str, str]:
    """What Linux says of the first core."""
    if not CPUINFO.exists():
        return {}
    first = CPUINFO.read_text(encoding="utf-8").partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _gpus() -> tuple[str, ...]:
    """What NVIDIA's own tool lists."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return ()
    words = [tool, "--query-gpu=name", "--format=csv,noheader"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    return tuple(done.stdout.splitlines()) if done.returncode == 0 else ()


def _versions() -> dict[str, str]:
    versions = {"geosrseg": __version__, "python": platform.python_version()}
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return {**versions, "GDAL": rasterio.__gdal_version__}
