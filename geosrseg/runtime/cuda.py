"""Why CUDA cannot be used here, found out without a word on stdout or stderr."""

import contextlib
import ctypes
import io
import sys

import onnxruntime

PROVIDER = "CUDAExecutionProvider"
DRIVER = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"


def why_no_cuda() -> str | None:
    """What is missing and how to get it, or None if nothing that can be seen from here.

    The libraries that onnxruntime needs are loaded on the way. Whether they are enough
    shows only when a model is opened.
    """
    if PROVIDER not in onnxruntime.get_available_providers():
        return "this onnxruntime has no CUDA provider: install onnxruntime-gpu in its place"
    if not _devices():
        return f"no NVIDIA GPU or driver was found ({DRIVER})"
    _load_libraries()
    return None


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
