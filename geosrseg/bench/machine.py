"""Describes the machine of a benchmark and the versions of its software."""

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
"""CPU flags that decide the speed of matrix products, as named by Linux."""

PACKAGES = ("numpy", "onnx", "onnxruntime", "onnxruntime-gpu", "openvino", "torch", "rasterio")


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine and its software.

    Attributes:
        instructions: supported `MATRIX_FLAGS`; empty if unknown.
        cores: cores available to this process.
        gpus: names of the NVIDIA GPUs.
        load: load average of the minute before; None if unknown.
        versions: versions of Python, GDAL and installed packages, by name.
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
    """Describe the current machine."""
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
    """Return the entries for the first core; empty outside Linux."""
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
    """Return the GPUs that ``nvidia-smi`` lists."""
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
