"""Turns the errors of the runtimes into geosrseg's own, with messages of one line."""

from geosrseg.errors import DeviceError, DeviceMemoryError

OUT_OF_MEMORY = (
    "failed to allocate",  # onnxruntime's arenas, OpenVINO
    "bad_alloc",  # C++
    "out of memory",  # CUDA, cuDNN, TensorRT
    "outofmemory",  # TensorRT
    "out_of_memory",  # oneDNN
    "cannot allocate memory",  # the system
    "can't allocate memory",  # PyTorch on the host
    "could not create a memory",  # oneDNN
    "can't start new thread",  # no room for its stack
    "alloc_failed",  # cuBLAS, cuDNN
    "available memory of",  # onnxruntime's arena with a limit
    "memoryallocation",  # CUDA
)
"""Words by which runtimes report lack of memory, in lower case; none has a type for it."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether a runtime raised this error because the host or the device lacks memory."""
    return isinstance(error, MemoryError) or any(
        words in str(error).lower() for words in OUT_OF_MEMORY
    )


def device_error(error: Exception, failed: str) -> DeviceError:
    """Return geosrseg's error for an error of a runtime.

    Args:
        error: error of any class; the runtimes share no base class.
        failed: start of the message: what failed, and where.
    """
    if is_out_of_memory(error):
        return DeviceMemoryError(f"{failed}: out of memory; a smaller window or batch needs less")
    return DeviceError(f"{failed} ({in_one_line(error)})")


def in_one_line(error: Exception) -> str:
    """Return the first informative line; OpenVINO starts with a line of its source code."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("Exception from ")]
    return next(iter(telling or lines), type(error).__name__)
