"""Tries a model file that is not shipped in a child process.

onnxruntime and OpenVINO compute constants while they load, and cannot be interrupted within a
layer: a file of a few kB can occupy either for hours, or crash the process. So a file from
elsewhere is first loaded and run in a child with limited time and memory.
"""

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.errors import ModelError
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile
from geosrseg.runtime.shipped_models import is_shipped

MAX_BYTES = 2**34
"""Memory limit beyond what the libraries take: twice the values of the largest trial run."""

_tried: set[tuple[str, str, str]] = set()


def try_apart(
    file: ModelFile,
    *,
    device: str,
    precision: str,
    threads: int | None,
    seconds: float,
    on_gpu: bool,
) -> None:
    """Load and try a model file in a child process, unless it is shipped or was tried before.

    Args:
        seconds: time limit.
        on_gpu: whether the model may run on a GPU; then address space is not limited, as the
            driver takes a lot.

    Raises:
        ModelError: the model does not run within the limits, or does not keep to its ModelSpec.
        DeviceError: the device or the precision cannot be used.
    """
    identity = (file.sha256, device, precision)
    if is_tried(identity):
        return
    try:
        run_apart(
            "geosrseg.runtime.session:try_content",
            file.content,
            (str(file.path), device, precision, str(threads or 0)),
            seconds=seconds,
            memory=None if on_gpu else min(MAX_BYTES, available_memory()),
        )
    except GivenUpError as error:
        raise ModelError(f"{file.path} is refused: it does not run ({error})") from error
    _tried.add(identity)


def is_tried(identity: tuple[str, str, str]) -> bool:
    """Whether this process has already tried a file, or the file is shipped."""
    return identity in _tried or is_shipped(identity[0])
