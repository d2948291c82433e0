"""The trial of a model file that is not shipped, in a child process.

onnxruntime and OpenVINO compute constants while they load, and do not look up between two layers:
a file of some kB can keep either for hours, or end the process. So a file from elsewhere is loaded
and tried in a child, which has little time and memory; then it is loaded here unchanged.
"""

from geosrseg.apart import GivenUpError, run_apart
from geosrseg.errors import ModelError
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile
from geosrseg.runtime.shipped_models import is_shipped

MAX_BYTES = 2**34
"""Of memory beyond what the libraries take: twice the values of the largest trial run."""

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
        device: as for `open_session`.
        precision: as for `open_session`.
        threads: as for `open_session`.
        seconds: what it may take.
        on_gpu: it may run on a GPU, whose driver takes address space without end.

    Raises:
        ModelError: it does not run within its limits, or does not keep to its ModelSpec.
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
    """Whether this process has tried a file already, or it comes with the package."""
    return identity in _tried or is_shipped(identity[0])
