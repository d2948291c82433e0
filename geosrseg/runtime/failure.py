"""Failure: what a runtime raised, as one error with one line."""

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
"""How runtimes say that memory is at an end, in lower case; none has a type for it."""


def is_out_of_memory(error: Exception) -> bool:
    """Whether a runtime raised this for want of memory, of the host or of the device."""
    return isinstance(error, MemoryError) or any(
        words in str(error).lower() for words in OUT_OF_MEMORY
    )


def device_error(error: Exception, failed: str) -> DeviceError:
    """The error of geosrseg for an error of a runtime.

    Args:
        error: what the runtime raised; they share no base class.
        failed: what failed where, the beginning of the message.
    """
    if is_out_of_memory(error):
        return DeviceMemoryError(f"{failed}: out of memory; a smaller window or batch needs less")
    return DeviceError(f"{failed} ({in_one_line(error)})")


def in_one_line(error: Exception) -> str:
    """What an error says first; OpenVINO puts the place in its code first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith("Exception from ")]
    return next(iter(telling or lines), type(error).__name__)
