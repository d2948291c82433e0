"""The device ``cuda``: onnxruntime on an NVIDIA GPU.

Why it cannot be used is found out without a word on stdout or stderr.
"""

import contextlib
import ctypes
import io
import sys

import onnxruntime

from geosrseg.core.precision import Precision
from geosrseg.runtime.devices.half import to_half
from geosrseg.runtime.devices.onnx_runtime import OnnxRuntime
from geosrseg.runtime.model.model_file import ModelFile

PROVIDER = "CUDAExecutionProvider"
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

MEMORY_FACTOR = 2.2
"""As on the CPU; not measured."""

# TF32 rounds to 10 bits: the labels would not be the CPU's.
OPTIONS = {"use_tf32": "0"}


def why_not() -> str | None:
    """What is missing and how to get it, or None if nothing that can be seen from here.

    The libraries that onnxruntime needs are loaded on the way. Whether they are enough
    shows only when a model is loaded.
    """
    if PROVIDER not in onnxruntime.get_available_providers():
        return "this onnxruntime has no CUDA provider: install onnxruntime-gpu in its place"
    if not _devices():
        return f"no NVIDIA GPU or driver was found ({DRIVER}): take another `device`"
    _load_libraries()
    return None


def precisions() -> tuple[Precision, ...]:
    """fp16, for which GPUs have matrix units, and fp32."""
    return ("fp16", "fp32")


def load(file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
    """Load a model on the GPU; no node of it may run on the CPU."""
    return OnnxRuntime(content(file, precision), providers=[(PROVIDER, OPTIONS)], threads=threads)


def content(file: ModelFile, precision: Precision) -> bytes:
    """The model as the GPU gets it."""
    return to_half(file.content) if precision == "fp16" else file.content


def _devices() -> int:
    """GPUs that the driver sees; 0 without a driver."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def _load_libraries() -> None:
    """Load CUDA and cuDNN from the nvidia wheels, if they are there."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
        onnxruntime.preload_dlls()
