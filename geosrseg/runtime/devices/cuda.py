"""The device ``cuda``: onnxruntime on an NVIDIA GPU.

Why it cannot be used is found out without a word on stdout or stderr.
"""

import contextlib
import ctypes
import io
import sys

import onnxruntime

from geosrseg.core.precision import Precision
from geosrseg.runtime.devices.device import Device
from geosrseg.runtime.devices.half import to_half
from geosrseg.runtime.devices.onnx_runtime import OnnxRuntime
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile

PROVIDER = "CUDAExecutionProvider"
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"

# TF32 rounds to 10 bits: the labels would not be the CPU's.
OPTIONS = {"use_tf32": "0"}


class Cuda(Device):
    """fp16, for which GPUs have matrix units, and fp32."""

    gpu = True
    memory_factor = 2.2  # as on the CPU; not measured

    def why_not(self) -> str | None:
        """What is missing and how to get it, or None if nothing that can be seen from here.

        The libraries that onnxruntime needs are loaded on the way. Whether they suffice
        shows only when a model is loaded.
        """
        if PROVIDER not in onnxruntime.get_available_providers():
            return "this onnxruntime has no CUDA provider: install onnxruntime-gpu in its place"
        if not _devices():
            return f"no NVIDIA GPU or driver was found ({DRIVER}): take another `device`"
        _load_libraries()
        return None

    def precisions(self) -> tuple[Precision, ...]:
        """Both, everywhere."""
        return ("fp16", "fp32")

    def free_memory(self) -> int:
        """The memory of the first GPU, which is the one that is used."""
        free = _free_bytes()
        return available_memory() if free is None else free

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
        """Load a model on the GPU; no node of it may run on the CPU."""
        providers = [(PROVIDER, OPTIONS)]
        return OnnxRuntime(content(file, precision), providers=providers, threads=threads)


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


def _free_bytes() -> int | None:
    """As the driver says; None where it does not."""
    device, context = ctypes.c_int(0), ctypes.c_void_p()
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    if (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), 0)
        or driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    ):
        return None
    try:
        if driver.cuCtxPushCurrent_v2(context):
            return None
        failed = driver.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
        driver.cuCtxPopCurrent_v2(ctypes.byref(context))
        return None if failed else free.value
    finally:
        driver.cuDevicePrimaryCtxRelease_v2(device)
