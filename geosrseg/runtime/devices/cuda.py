"""The device ``cuda``: onnxruntime on an NVIDIA GPU.

Checking whether it can be used prints nothing to stdout or stderr.
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

# TF32 rounds to 10 bits: labels would differ from the CPU's.
OPTIONS = {"use_tf32": "0"}


class Cuda(Device):
    """fp16, for which GPUs have matrix units, and fp32."""

    gpu = True
    memory_factor = 2.2  # as on the CPU; not measured

    def why_not(self) -> str | None:
        """Return what is missing and how to get it, or None if nothing obvious is.

        This also loads the libraries that onnxruntime needs. Whether they suffice shows only
        when a model is loaded.
        """
        if PROVIDER not in onnxruntime.get_available_providers():
            return "this onnxruntime has no CUDA provider: install onnxruntime-gpu in its place"
        if not _devices():
            return f"no NVIDIA GPU or driver was found ({DRIVER}): use another `device`"
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it does not find
            onnxruntime.preload_dlls()  # from the nvidia wheels, if they are installed
        return None

    def precisions(self) -> tuple[Precision, ...]:
        return ("fp16", "fp32")

    def free_memory(self) -> int:
        """Return the free bytes of the first GPU, the one in use."""
        free = _free_bytes()
        return available_memory() if free is None else free

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
        """Load a model on the GPU; none of its nodes may run on the CPU."""
        providers = [(PROVIDER, OPTIONS)]
        return OnnxRuntime(content(file, precision), providers=providers, threads=threads)


def content(file: ModelFile, precision: Precision) -> bytes:
    """Return the model file in the form that the GPU runs."""
    return to_half(file.content) if precision == "fp16" else file.content


def _driver() -> ctypes.CDLL | None:
    """Return the initialized driver; None if there is none that works."""
    try:
        driver = ctypes.CDLL(DRIVER)
    except OSError:
        return None
    return None if driver.cuInit(0) else driver


def _devices() -> int:
    """Return the number of GPUs that the driver finds; 0 without a driver."""
    count, driver = ctypes.c_int(0), _driver()
    if driver is None or driver.cuDeviceGetCount(ctypes.byref(count)):
        return 0
    return count.value


def _free_bytes() -> int | None:
    """Return the free bytes of the first GPU; None if the driver does not report them."""
    device, context = ctypes.c_int(0), ctypes.c_void_p()
    free, total = ctypes.c_size_t(0), ctypes.c_size_t(0)
    driver = _driver()
    if (
        driver is None
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
